# Stands in for grafana/grafana:12: the account, the folders, the variables, and the two addresses of the health checks.
# It draws nothing. It proves that the provisioned files are mounted and readable, and that the data source reaches the
# database with its password.
FROM qs-stand-in-base
RUN groupadd --gid 472 grafana && useradd --uid 472 --gid root --no-create-home grafana \
 && apt-get update -qq && apt-get install -y -qq --no-install-recommends curl python3 python3-yaml python3-psycopg2 >/dev/null \
 && rm -rf /var/lib/apt/lists/* && install -d -o grafana -m 0777 /var/lib/grafana
COPY grafana.py /run.py
USER 472
EXPOSE 3000
ENTRYPOINT ["python3", "/run.py"]
