# The agent's image. In a clone of the repository:
#
#   docker build -t skbspan .
#
# What comes out holds Node.js, skbspan, its production dependencies, the tracer and the libraries of both: no shell, no package manager.
# NODE_IMAGE is a Debian or Ubuntu with Node.js and npm, from which Node.js and the libraries are taken; the compiler and headers that
# it lacks are installed with apt-get while building. Elsewhere than on Docker Hub: --build-arg NODE_IMAGE=REGISTRY/node:24-bookworm-slim
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY . .
RUN node scripts/build.js
RUN npm prune --omit=dev --no-audit --no-fund --loglevel=error && node scripts/assemble-image.js /image

FROM scratch
COPY --from=build /image /
ENV PATH=/usr/local/bin:/usr/bin NODE_ENV=production
# Capabilities work for user 0 alone where nothing sets ambient ones, as in Kubernetes. What needs no rights (replay, doctor, --help) runs
# as anybody: docker run --user 65532 ...
USER 0:0
ENTRYPOINT ["/usr/local/bin/skbspan"]
CMD ["--help"]
