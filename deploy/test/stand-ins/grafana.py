"""Answers /api/health and /api/datasources/uid/<uid>/health as Grafana does, from the provisioned files."""

import base64
import glob
import json
import os
import re
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import yaml

PROVISIONING = '/etc/grafana/provisioning'
PASSWORD = os.environ['GF_SECURITY_ADMIN_PASSWORD']


def expand(text):
    """$NAME, ${NAME} and $__env{NAME}, as Grafana reads provisioning files."""
    return re.sub(r'\$(?:__env)?\{(\w+)\}|\$(\w+)', lambda m: os.environ[m[1] or m[2]], text)


def provisioned(kind):
    for path in glob.glob(f'{PROVISIONING}/{kind}/*.y*ml'):
        with open(path) as file:
            yield yaml.safe_load(file)


def data_source(uid):
    for file in provisioned('datasources'):
        for source in file['datasources']:
            if source['uid'] == uid:
                return source
    raise KeyError(uid)


def ask_database(uid):
    source = data_source(uid)
    host, _, port = expand(source['url']).partition(':')
    data = source['jsonData']
    connection = psycopg2.connect(
        host=host, port=port or 5432, user=expand(source['user']), dbname=expand(data['database']),
        password=expand(source['secureJsonData']['password']), sslmode=expand(data['sslmode']),
        sslrootcert=expand(data['sslRootCertFile']) or None, connect_timeout=5)
    try:
        cursor = connection.cursor()
        cursor.execute('select count(*) from events')
        return cursor.fetchone()[0]
    finally:
        connection.close()


def dashboards():
    for file in provisioned('dashboards'):
        for provider in file['providers']:
            for path in sorted(glob.glob(provider['options']['path'] + '/**/*.json', recursive=True)):
                with open(path) as dashboard:
                    yield {'uid': json.load(dashboard)['uid'], 'type': 'dash-db'}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/api/health':
            return self.answer(200, {'database': 'ok'})
        expected = 'Basic ' + base64.b64encode(f'admin:{PASSWORD}'.encode()).decode()
        if self.headers.get('Authorization') != expected:
            return self.answer(401, {'message': 'Unauthorized'})
        if self.path == '/api/search':
            return self.answer(200, list(dashboards()))
        match = re.fullmatch(r'/api/datasources/uid/(\w+)/health', self.path)
        if not match:
            return self.answer(404, {'message': 'Not found'})
        try:
            return self.answer(200, {'status': 'OK', 'message': 'Database Connection OK', 'events': ask_database(match[1])})
        except Exception as error:
            return self.answer(400, {'status': 'ERROR', 'message': str(error)})

    def answer(self, status, body):
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


# As process 1 it has no default handlers: without this one, each stop waits for SIGKILL.
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
list(dashboards())
print('stand-in for Grafana: provisioned files read', flush=True)
ThreadingHTTPServer(('', 3000), Handler).serve_forever()
