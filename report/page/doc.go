// Package page draws a [report.Picture]: as one self-contained HTML page, and its
// timeline alone as an SVG picture.
//
// It guarantees:
//   - The page asks for nothing: no network, no other file. It carries a
//     Content-Security-Policy that would refuse it, and allows no script but its
//     own, by digest. Without that script everything can be read all the same.
//   - Text is data. It is cleaned (see [render.Clean]), escaped for where it
//     stands, and isolated from the direction of the text around it. Icons are
//     images that were looked at, never markup.
//   - Nothing is said by colour alone: each health has a height, a texture and a
//     word of its own.
//   - It draws only: every figure is one of the report, written as the other
//     formats write it.
//
// It refuses to look around: no clock, no environment, no files but those built
// in. The same picture gives the same bytes.
//
//	var b bytes.Buffer
//	err := page.WriteHTML(&b, report.NewPicture(in, report.Build(in)))
package page
