# SPDX-License-Identifier: Apache-2.0
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
WORKDIR /src
COPY deploy/packages.sh deploy/packages.sh
RUN sh deploy/packages.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DMESHMASON_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr \
	&& cmake --build build/release \
	&& DESTDIR=/out cmake --install build/release --strip

FROM ${BASE}
RUN apt-get update -q && apt-get install -q -y --no-install-recommends \
		'^libmicrohttpd12(t64)?$' libjansson4 '^libssl3(t64)?$' libsqlite3-0 '^libcurl4(t64)?$' \
		libargon2-1 ca-certificates \
	&& apt-get clean && rm -rf /var/lib/apt/lists/* \
	&& useradd --system --uid 10001 --home-dir /var/lib/meshmason meshmason \
	&& install -d -o meshmason -g meshmason -m 0700 /var/lib/meshmason
COPY --from=build /out/ /
USER meshmason
VOLUME /var/lib/meshmason
EXPOSE 8080
ENTRYPOINT ["/usr/bin/meshmasond"]
CMD ["--data", "/var/lib/meshmason", "--radio", "sim:devices=60,floors=3,loss=0.05"]
