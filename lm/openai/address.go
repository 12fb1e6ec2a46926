package openai

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/whetgo/whet/lm"
)

// policy says which addresses may be called.
type policy struct{ allowHTTP, allowLinkLocal, untrusted bool }

// metadata are the addresses beyond link-local ones where clouds keep credentials.
func metadata() []netip.Addr {
	return []netip.Addr{
		netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"),
		netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("192.0.0.192"),
	}
}

// refuses says why an address may not be called, or "".
func (p policy) refuses(a netip.Addr) string {
	a = embedded(a.WithZone(""))
	if !p.allowLinkLocal {
		if a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast() {
			return "link-local"
		}
		for _, m := range metadata() {
			if a == m {
				return "where a cloud keeps its machines' credentials"
			}
		}
	}
	if p.untrusted {
		switch {
		case a.IsLoopback(), a.IsUnspecified():
			return "this machine"
		case a.IsPrivate(), netip.MustParsePrefix("100.64.0.0/10").Contains(a), netip.MustParsePrefix("0.0.0.0/8").Contains(a):
			return "in a private network"
		case a.IsMulticast():
			return "a group of machines"
		case unroutable(a):
			return "of no machine in the open network"
		}
	}
	return ""
}

// unroutable reports whether an address is in a range, beyond private ones, in which no server
// of somebody else is.
func unroutable(a netip.Addr) bool {
	for _, p := range []string{"192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "fec0::/10"} {
		if netip.MustParsePrefix(p).Contains(a) {
			return true
		}
	}
	return false
}

// embedded returns the IPv4 address inside of one of IPv6, where a gateway would go on to it.
func embedded(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if !a.Is6() {
		return a
	}
	b := a.As16()
	switch {
	case a == netip.IPv6Unspecified(), a == netip.IPv6Loopback():
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a), netip.MustParsePrefix("64:ff9b:1::/48").Contains(a), netip.MustParsePrefix("::/96").Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return a
}

// errRefusedAddress is the cause where a name leads to an address that may not be called.
var errRefusedAddress = errors.New("the address may not be called")

// control checks each address before it is called, when names have been looked up.
func (p policy) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil //nolint:nilerr // no IP address: a socket of the system, which no URL leads to
	}
	if why := p.refuses(at.Addr()); why != "" {
		return fmt.Errorf("%w: %s is %s", errRefusedAddress, at.Addr(), why)
	}
	return nil
}

// check reads a base URL. Its text never comes back in an error, as it may hold a key.
func (p policy) check(address string, withKey bool) (*url.URL, *lm.Error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Opaque != "" {
		return nil, misused("the base URL is no URL; one looks like https://host/v1")
	}
	host := u.Hostname()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, misused("the base URL is of another scheme than http and https; one looks like https://host/v1")
	case host == "":
		return nil, misused("the base URL names no host; one looks like https://host/v1")
	case u.User != nil:
		return nil, misused("the base URL holds a user or a password; give a key by the option Key, or a header by Header")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, misused("the base URL holds a query or a fragment; there is nothing to put them behind")
	}
	ip, err := netip.ParseAddr(host)
	isIP := err == nil
	if isIP {
		if why := p.refuses(ip); why != "" {
			return nil, misused("the base URL leads to %s, which is %s", host, why)
		}
	}
	local := isLocalName(host) || isIP && ip.Unmap().IsLoopback()
	if p.untrusted && isLocalName(host) {
		return nil, misused("the base URL leads to %s, which is this machine", host)
	}
	if !p.allowLinkLocal && strings.EqualFold(strings.TrimSuffix(host, "."), "metadata.google.internal") {
		return nil, misused("the base URL leads to %s, where a cloud keeps its machines' credentials", host)
	}
	if u.Scheme == "http" && withKey && !local && !p.allowHTTP {
		return nil, misused("a key would go to %s over plain http, where others can read it; use https, or the option AllowHTTP", host)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	if u.Path == "" {
		u.Path = "/v1"
	}
	return u, nil
}

func isLocalName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// ollamaURL makes a URL of what stands in OLLAMA_HOST: a URL, a host, a port, or both. The
// addresses that a server listens at everywhere mean this machine.
func ollamaURL(host string) string {
	scheme, rest, found := strings.Cut(strings.Trim(strings.TrimSpace(host), `"'`), "://")
	if !found {
		scheme, rest = "http", scheme
	}
	rest, path, _ := strings.Cut(rest, "/")
	name, port, err := net.SplitHostPort(rest)
	if err != nil {
		name, port = strings.Trim(rest, "[]"), ""
	}
	if port == "" && !found {
		port = "11434"
	}
	switch name {
	case "", "0.0.0.0":
		name = "127.0.0.1"
	case "::":
		name = "::1"
	}
	if port != "" {
		name = net.JoinHostPort(name, port)
	} else if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	if path = strings.Trim(path, "/"); path != "" {
		path = "/" + path
	}
	return scheme + "://" + name + path
}

// newTransport makes the connections of one model.
func newTransport(p policy) *http.Transport {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second, Control: p.control}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConns: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 1 << 20,
	}
	if p.untrusted {
		t.Proxy = nil
	}
	return t
}

// noRedirect keeps a client from following any: a reply that leads elsewhere is an error.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// refusedAddress makes the error of a call to where none may go.
func refusedAddress(err error) *lm.Error {
	e := failure(lm.ErrUnavailable, "the server's name leads to an address that may not be called; see the options AllowLinkLocal and Untrusted")
	e.Err = err
	return e
}
