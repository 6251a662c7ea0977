#!/bin/sh
# Makes the sample that ffmpeg is tried with: half a second of H.264 and AAC.
# Run it from this directory; the results are committed.
set -eu

ffmpeg -hide_banner -loglevel error -y \
  -f lavfi -i "testsrc2=size=64x36:rate=8:duration=0.5" -f lavfi -i "sine=frequency=220:sample_rate=16000:duration=0.5" \
  -c:v libx264 -preset veryslow -crf 40 -pix_fmt yuv420p -x264-params info=0 -c:a aac -b:a 8k -ac 1 \
  -map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -movflags +faststart sample.mp4

# The same with its index at the end, as many programs write it.
ffmpeg -hide_banner -loglevel error -y -i sample.mp4 -c copy -map_metadata -1 -fflags +bitexact end.mp4
