package media

import (
	"bytes"
	"encoding/xml"
	"strings"
	"unicode"

	"ltxbot/core/generate"
)

// What a packet says, by the names of the standards.
// https://iptc.org/std/photometadata/specification/
// https://cv.iptc.org/newscodes/digitalsourcetype/
// https://developer.adobe.com/xmp/docs/
const (
	iptcSpace = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
	dcSpace   = "http://purl.org/dc/elements/1.1/"
	rdfSpace  = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

	sourceType   = "DigitalSourceType"
	madeByModel  = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
	systemUsed   = "AISystemUsed"
	identifier   = "identifier"
	creatorTool  = "ltxbot"
	maxPacket    = 64 << 10 // bytes that are read of a packet
	maxMarkValue = 200      // characters of the model and the job in a mark
)

// packet is the XMP packet that says m.
func packet(m generate.Mark) []byte {
	var b bytes.Buffer
	element := func(name, value string) {
		b.WriteString("<" + name + ">")
		_ = xml.EscapeText(&b, []byte(value)) // a buffer takes all
		b.WriteString("</" + name + ">\n")
	}
	b.WriteString("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="` + rdfSpace + `">` +
		`<rdf:Description rdf:about="" xmlns:dc="` + dcSpace + `" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="` + iptcSpace + "\">\n")
	element("Iptc4xmpExt:"+sourceType, madeByModel)
	element("Iptc4xmpExt:"+systemUsed, markValue(m.Model))
	element("dc:"+identifier, markValue(m.Job))
	element("xmp:CreatorTool", creatorTool)
	b.WriteString("</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>")
	return b.Bytes()
}

// markValue is a value as a mark has it: bounded, and without control
// characters.
func markValue(s string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s))
	return string(runes[:min(len(runes), maxMarkValue)])
}

// byModel reports whether a DigitalSourceType is one of what a model made, or
// had a part in: "compositeWithTrainedAlgorithmicMedia", too.
func byModel(value string) bool {
	return strings.HasSuffix(strings.ToLower(strings.TrimSpace(value)), "trainedalgorithmicmedia")
}

// readPacket reads an XMP packet, and reports whether it says that a model made
// the file. What is not XML after that changes nothing.
func readPacket(b []byte) (m generate.Mark, ok bool) {
	d := xml.NewDecoder(bytes.NewReader(b[:min(len(b), maxPacket)]))
	set := func(name xml.Name, value string) {
		switch {
		case name.Space == iptcSpace && name.Local == sourceType:
			ok = ok || byModel(value)
		case name.Space == iptcSpace && name.Local == systemUsed && m.Model == "":
			m.Model = markValue(strings.TrimSpace(value))
		case name.Space == dcSpace && name.Local == identifier && m.Job == "":
			m.Job = markValue(strings.TrimSpace(value))
		}
	}
	var at xml.Name // the innermost element that is open
	for {
		token, err := d.Token()
		if err != nil { // the end, or it is no XML from here on
			return m, ok
		}
		switch t := token.(type) {
		case xml.StartElement:
			at = t.Name
			for _, a := range t.Attr {
				if a.Name.Space == rdfSpace && a.Name.Local == "resource" {
					a.Name = t.Name
				}
				set(a.Name, a.Value)
			}
		case xml.CharData:
			set(at, string(t))
		case xml.EndElement:
			at = xml.Name{}
		}
	}
}
