#!/bin/sh
# Makes the four clips that the simulator serves, one per output format, from
# nothing but ffmpeg's own generators: a sun that crosses an evening sky, and
# a soft fifth. Run it from this directory; the results are committed.
set -eu

quiet="-hide_banner -loglevel error -y"
exact="-map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact"

# shellcheck disable=SC2086
ffmpeg $quiet \
  -f lavfi -i "gradients=size=512x288:rate=24:duration=4:c0=0x1b2a49:c1=0xe07a5f:c2=0xf2cc8f:c3=0x3d405b:n=4:speed=0.02:seed=7" \
  -f lavfi -i "color=c=0xfff3d6:size=64x64:rate=24:duration=4" \
  -f lavfi -i "sine=frequency=220:sample_rate=48000:duration=4" \
  -f lavfi -i "sine=frequency=330:sample_rate=48000:duration=4" \
  -filter_complex "[1:v]format=yuva420p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='255*clip((30-hypot(X-32,Y-32))/4,0,1)'[sun];[0:v][sun]overlay=x='-40+t*140':y='190-130*sin(PI*t/4)'[v];[2:a][3:a]amix=inputs=2,volume=0.25,afade=t=in:d=0.5,afade=t=out:st=3.2:d=0.8[a]" \
  -map "[v]" -map "[a]" -c:v libx264 -profile:v main -preset veryslow -crf 30 -pix_fmt yuv420p \
  -c:a aac -b:a 32k -ac 1 -movflags +faststart $exact clip.mp4

# The other formats are small and short: they only have to play.
# shellcheck disable=SC2086
ffmpeg $quiet -i clip.mp4 -c copy $exact clip.mov
# shellcheck disable=SC2086
ffmpeg $quiet -i clip.mp4 -vf scale=320:-2 -c:v libvpx-vp9 -crf 45 -b:v 0 -c:a libopus -b:a 24k $exact clip.webm
# shellcheck disable=SC2086
ffmpeg $quiet -i clip.mp4 -vf "fps=8,scale=160:-1,split[a][b];[a]palettegen=max_colors=24[p];[b][p]paletteuse=dither=none" -loop 0 $exact clip.gif
