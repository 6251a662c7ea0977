# The bot in a container. It runs as a user of its own, needs no shell, and
# writes only below /var/lib/ltxbot and /tmp, so the root may be read-only:
#
#   docker build -t ltxbot .
#   docker run --read-only --tmpfs /tmp -v ltxbot:/var/lib/ltxbot \
#     -e FAL_KEY -e DISCORD_TOKEN -p 127.0.0.1:8080:8080 ltxbot
ARG GO_IMAGE=docker.io/library/golang:1.26-bookworm
ARG RUN_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${GO_IMAGE} AS build
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false
WORKDIR /src
# Modules first: they change less often than the source.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
RUN go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/bot ./cmd/bot

FROM ${RUN_IMAGE}
# ffmpeg makes videos fit where they are too large for a channel.
RUN apt-get update -q -o Acquire::Retries=3 \
 && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 ca-certificates ffmpeg \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/ltxbot
COPY --from=build /out/bot /usr/local/bin/bot
COPY deploy/container.toml /etc/ltxbot/ltx.toml
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/ltxbot
VOLUME /var/lib/ltxbot
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["/usr/local/bin/bot", "health", "--live", "--config", "/etc/ltxbot/ltx.toml"]
ENTRYPOINT ["/usr/local/bin/bot"]
CMD ["run", "--config", "/etc/ltxbot/ltx.toml"]
