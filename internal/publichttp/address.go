package publichttp

import "net/netip"

// inside are ranges of addresses that are not on the public Internet, or lead
// to where the bot runs, beside those that net/netip knows.
// https://www.iana.org/assignments/iana-ipv4-special-registry
// https://www.iana.org/assignments/iana-ipv6-special-registry
var inside = prefixes(
	"0.0.0.0/8",         // this network
	"100.64.0.0/10",     // carrier-grade NAT; Alibaba's metadata
	"168.63.129.16/32",  // Azure's platform, though the range is public
	"192.0.0.0/24",      // protocol assignments; Oracle's metadata
	"192.0.2.0/24",      // documentation
	"192.88.99.0/24",    // 6to4 relays
	"198.18.0.0/15",     // benchmarks
	"198.51.100.0/24",   // documentation
	"203.0.113.0/24",    // documentation
	"240.0.0.0/4",       // reserved, broadcast
	"2001::/23",         // protocol assignments: Teredo, benchmarks, ORCHID
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4: an IPv4 address inside
	"2620:4f:8000::/48", // AS112: answers for private addresses
	"3fff::/20",         // documentation
)

var (
	// unicast6 is where all public IPv6 addresses are.
	unicast6 = netip.MustParsePrefix("2000::/3")
	// nat64 holds IPv4 addresses: on a network without IPv4 all of it is
	// reached so. https://www.rfc-editor.org/rfc/rfc6052
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, s := range list {
		all[i] = netip.MustParsePrefix(s)
	}
	return all
}

// Public reports whether an address is on the public Internet.
func Public(a netip.Addr) bool {
	a = a.Unmap() // an IPv4 address in an IPv6 one
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsValid() || a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !unicast6.Contains(a) {
		return false
	}
	for _, p := range inside {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
