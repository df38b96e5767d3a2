# SPDX-License-Identifier: Apache-2.0
# The server, its dashboard and the command-line client:  docker build -t meshmason .
# Without further words it runs on a simulated building. Port 8080 is plain HTTP: publish it on
# loopback, as deploy/compose.yaml does, or behind something that speaks TLS.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
WORKDIR /src
COPY deploy/packages.sh deploy/packages.sh
RUN sh deploy/packages.sh build
COPY . .
RUN cmake --preset release -DMESHMASON_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr \
	&& cmake --build build/release \
	&& DESTDIR=/out cmake --install build/release --strip

FROM ${BASE}
# Debian 13 renamed some libraries (t64).
RUN apt-get update -q \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
		'^libmicrohttpd12(t64)?$' libjansson4 '^libssl3(t64)?$' libsqlite3-0 '^libcurl4(t64)?$' \
		libargon2-1 ca-certificates \
	&& apt-get clean && rm -rf /var/lib/apt/lists/* \
	&& groupadd --system --gid 10001 meshmason \
	&& useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/meshmason \
		--shell /usr/sbin/nologin meshmason \
	&& install -d -o meshmason -g meshmason -m 0700 /var/lib/meshmason
COPY --from=build /out/ /
USER 10001:10001
VOLUME /var/lib/meshmason
EXPOSE 8080
# Bash speaks TCP; the image has no other HTTP client that needs no token.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["bash", "-c", \
	"exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ code _ <&3 && [ \"$code\" = 200 ]"]
ENTRYPOINT ["/usr/bin/meshmasond", "--data", "/var/lib/meshmason"]
# Inside a container loopback is nobody's: what is reachable, publishing says.
CMD ["--listen", "0.0.0.0:8080", "--insecure-listen", \
	"--radio", "sim:devices=60,floors=3,loss=0.05,untrusted=3,expired=1,misnamed=1,dead=2,absent=1"]
