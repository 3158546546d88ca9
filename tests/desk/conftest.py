"""A desk on real HTTP: a run's folder with rows that wait, a server on a thread, browsers with cookies."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import uvicorn

from alif import store
from alif.desk import people
from alif.desk.database import Database
from alif.desk.desk_server import server_config
from alif.desk.office import Office, open_office
from alif.recipe import load_recipe
from alif.records import Example, Origin
from alif.runs import Run

HOSTILE = '<script>document.title="x"</script><img src=x onerror="document.title=1">"\'{{7*7}}'
PASSWORD = "a long password"


def row(instruction: str, output: str, task: str = "qa", language: str = "ur") -> Example:
    origin = Origin(kind="teacher", teacher="secret-teacher", model="secret-model")
    return Example.make(language, task, instruction, "", output, origin)


ROWS = [
    row("لاہور کس صوبے میں ہے؟", "لاہور صوبہ پنجاب میں ہے۔"),
    row("3 کتابیں 450 روپے فی کتاب ہوں تو کل رقم بتائیں۔", "3 × 450 = 1350 روپے", "reasoning"),
    row("قیمت نکالیں۔", "1350 - 130 = 1210 روپے", "reasoning"),
    row("کتاب کے بارے میں ایک جملہ لکھیں۔", "یہ كتاب اچھی ہے۔", "generation"),
]


@pytest.fixture
def make_office(tmp_path: Path) -> Iterator[Callable[..., Office]]:
    """Open desks on run folders; each is closed at the end."""
    opened: list[Office] = []

    def make(
        rows: list[Example] | None = None, reviewers: int = 1, database: str = "", name: str = "run"
    ) -> Office:
        run = Run(tmp_path / name)
        settings = ("review.share=1.0", f"review.reviewers={reviewers}", f'name="{name}"')
        recipe = load_recipe(Path(__file__).parents[2] / "alif/recipes/demo.toml", settings)
        if not run.requests("review").exists():
            store.write_rows(run.requests("review"), ROWS if rows is None else rows)
        opened.append(open_office(run, recipe, database))
        return opened[-1]

    yield make
    for office in opened:
        office.exchange.close()
        office.db.close()


@pytest.fixture
def office(make_office: Callable[..., Office]) -> Office:
    return make_office()


class Browser:
    """A browser without a screen: keeps cookies, sends `Origin` with every POST."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address, self.host = address, f"{address[0]}:{address[1]}"
        self.cookies: dict[str, str] = {}
        self.connection = http.client.HTTPConnection(*address, timeout=60)

    def send(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            self.connection.close()  # the server had closed an idle connection: browsers open another, too
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
        text = response.read().decode(errors="replace")
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, rest = cookie.partition("=")
            value = rest.partition(";")[0].strip('"')
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return response.status, text, {key.lower(): value for key, value in response.headers.items()}

    def get(self, path: str) -> tuple[int, str, dict[str, str]]:
        return self.send("GET", path)

    def post(self, path: str, **form: str) -> tuple[int, str, dict[str, str]]:
        headers = {"Origin": f"http://{self.host}", "Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, urlencode(form), **headers)

    def call(self, name: str, **body: Any) -> tuple[int, dict[str, Any]]:
        status, text, _ = self.send("POST", f"/api/{name}", json.dumps(body), Origin=f"http://{self.host}")
        return status, json.loads(text)


class Site:
    """A served desk; people come in by the same links as anywhere."""

    def __init__(self, office: Office, address: tuple[str, int]) -> None:
        self.office, self.address = office, address
        self.browsers: list[Browser] = []

    def browser(self) -> Browser:
        self.browsers.append(Browser(self.address))
        return self.browsers[-1]

    def person(self, name: str, role: str = "annotator") -> Browser:
        browser = self.browser()
        token = people.make_invite(self.office.db, role)
        status, _, headers = browser.post(f"/invite/{token}", name=name, password=PASSWORD)
        assert (status, headers["location"]) == (303, "/")
        return browser


@contextlib.contextmanager
def serving(office: Office) -> Iterator[Site]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(office))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    site = Site(office, listening.getsockname())
    yield site
    for browser in site.browsers:
        browser.connection.close()
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def site(office: Office) -> Iterator[Site]:
    with serving(office) as found:
        yield found


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Start a PostgreSQL of our own; the address of an empty database."""
    places = [Path(found).parent for found in [shutil.which("pg_ctl")] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    place = next((one for one in places if (one / "initdb").exists()), None)
    if place is None:
        pytest.skip("there is no PostgreSQL here: no pg_ctl on PATH or in /usr/lib/postgresql")
    with tempfile.TemporaryDirectory(prefix="postgresql", ignore_cleanup_errors=True) as folder:
        who: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root, and pytest's folders are root's alone
            try:
                owner = pwd.getpwnam("postgres")
            except KeyError:
                pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
            who |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]

        def run(program: str, *flags: str) -> None:
            command = [str(place / program), "-D", f"{folder}/data", *flags]
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, **who)

        run("initdb", "-A", "trust", "-U", "alif", "-N")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        run("pg_ctl", "-w", "-o", options, "start")
        yield f"postgresql+psycopg://alif@127.0.0.1:{port}/postgres"
        run("pg_ctl", "-m", "immediate", "stop")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database of either kind; "": SQLite in the run."""
    if request.param == "sqlite":
        yield ""
        return
    import sqlalchemy as sa

    address = request.getfixturevalue("postgresql")
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    yield address


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    found = Database.at(tmp_path / "desk.sqlite")
    yield found
    found.close()
