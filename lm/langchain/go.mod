module github.com/whetgo/whet/lm/langchain

go 1.26.0

replace github.com/whetgo/whet => ../..

require (
	github.com/google/go-cmp v0.7.0
	github.com/tmc/langchaingo v0.1.14
	github.com/whetgo/whet v0.0.0-00010101000000-000000000000
	go.uber.org/goleak v1.3.0
)

require (
	github.com/dlclark/regexp2 v1.10.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/pkoukk/tiktoken-go v0.1.6 // indirect
)
