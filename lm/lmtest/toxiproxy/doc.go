// Package toxiproxy holds a test alone: package lm/openai, and lm/retry in front of it,
// behind each of the six faults of Shopify's Toxiproxy, which damage the TCP connection
// itself: reset_peer, limit_data, timeout, latency, bandwidth and slicer. Each call must
// end, in the right reply or in an error of kind lm.ErrBackend, and leave no goroutine
// behind.
//
// The proxy runs inside of the test, so there is nothing to install. It needs 17 modules,
// which is why this is a module of its own that nobody imports. What goes wrong above TCP
// is tested by lmtest.Faults, without it and without waiting.
package toxiproxy
