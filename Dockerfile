# One image for every process: web, workers, beat, event consumer. The command decides which (docker-compose.yml).
# With REQUIREMENTS=requirements-crew.lock it has CrewAI too, which only the `ai` worker needs, and is 730 MB larger.
FROM python:3.13-slim AS packages
ARG REQUIREMENTS=requirements.lock
WORKDIR /app
COPY ${REQUIREMENTS} .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r ${REQUIREMENTS}

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PULSEQUILL_HOME=/data HOST=0.0.0.0 PORT=8000
RUN useradd --system --uid 10001 --home-dir /data --create-home pulsequill
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
# The names below only let Django start for a moment; nothing is asked of them.
RUN PULSEQUILL_HOME=/tmp/build SECRET_KEY=build DATABASE_URL=postgresql://build@build.invalid/build \
    REDIS_URL=redis://build.invalid python manage.py collectstatic --noinput --verbosity 0
USER pulsequill
EXPOSE 8000
VOLUME /data
CMD ["python", "-m", "pulsequill.web"]
