module github.com/whetgo/whet

go 1.26
