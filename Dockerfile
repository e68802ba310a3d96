# The KRM function, the plugin for Argo CD, its gate Jobs and the command line, in one image: docker build --tag rookery .
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md ./
COPY krm_fn krm_fn
# kubernetes/aio: the same client once more, for asyncio; half of the package.
RUN python -m pip install --no-cache-dir --no-compile --disable-pip-version-check --ignore-installed --prefix=/prefix './[status-sync]' \
 && rm -rf /prefix/lib/python*/site-packages/kubernetes/aio \
 && python -m compileall -q --invalidation-mode unchecked-hash -s /prefix -p /usr/local /prefix/lib

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Rookery" \
      org.opencontainers.image.description="Renders kro ResourceGraphDefinitions into plain Kubernetes manifests, without kro" \
      org.opencontainers.image.licenses="Apache-2.0"
# The base image has no bytecode of the standard library, and a read-only root file system never gets any: 12 MB, and a run takes a third.
RUN python -m compileall -q --invalidation-mode unchecked-hash \
      -x '/(ensurepip|idlelib|lib2to3|pydoc_data|site-packages|test|tkinter|turtledemo)/' \
      "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=build /prefix /usr/local
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1
# Nothing is written, so any user will do: kpt and kustomize say nobody, Argo CD says 999.
USER 65532:65532
# Where kustomize mounts what `paths` of a config name.
WORKDIR /work
# No shell, and no argument: hosts run the image as it is. `--entrypoint rookery` has the other commands.
ENTRYPOINT ["rookery", "fn"]
