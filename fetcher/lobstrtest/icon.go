package lobstrtest

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
)

// iconSide makes an icon of about five kilobytes of base64, as the vendor's are.
const iconSide = 36

// NewIcon returns a PNG image as base64: a square of the seed's colour with
// noise, so that it does not compress. The same seed gives the same icon.
func NewIcon(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 0x1c0))
	return newIcon(r, color.RGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255})
}

func newIcon(r *rand.Rand, base color.RGBA) string {
	img := image.NewRGBA(image.Rect(0, 0, iconSide, iconSide))
	for y := range iconSide {
		for x := range iconSide {
			img.SetRGBA(x, y, color.RGBA{noisy(r, base.R), noisy(r, base.G), noisy(r, base.B), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic("lobstrtest: a square cannot fail to encode: " + err.Error())
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func noisy(r *rand.Rand, level uint8) uint8 {
	return uint8(min(255, max(0, int(level)+r.IntN(193)-96)))
}
