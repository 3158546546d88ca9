"""A server with the part of the Hub's HTTP API that huggingface_hub 2.4 calls for a repository, on loopback.

    POST /api/validate-yaml                         whether a card's front matter is accepted
    POST /api/repos/create                          a private repository, or a public one
    GET  /api/models/O/N[/revision/R]               private or not, and the last commit
    GET  /api/models/O/N/tree/R?recursive=true      every file with its size and id
    POST /api/models/O/N/preupload/R                which files go by LFS: those of LARGE bytes and more
    POST /O/N.git/info/lfs/objects/batch            where to upload them; existing ones are left out
    PUT  /lfs/OID
    POST /api/models/O/N/commit/R                   NDJSON: header, file (base64), lfsFile, deletedFile, …
    HEAD, GET /O/N/resolve/R/PATH

As on the Hub, a private repository answers 404 without the right token. Xet storage is missing; the client
does not use it with HF_HUB_DISABLE_XET=1.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_" + "t" * 34
LARGE = 4000
Answer = tuple[int, Any, dict[str, str]]


@dataclass
class Repository:
    private: bool = True
    gated: bool = False
    files: dict[str, bytes] = field(default_factory=lambda: {".gitattributes": b""})
    large: set[str] = field(default_factory=set)
    commits: list[str] = field(default_factory=lambda: ["initial"])

    @property
    def sha(self) -> str:
        return hashlib.sha1(str(self.commits).encode()).hexdigest()

    def entry(self, path: str) -> dict[str, Any]:
        content = self.files[path]
        told: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": blob(content)}
        if path in self.large:
            told["lfs"] = {
                "oid": hashlib.sha256(content).hexdigest(),
                "size": len(content),
                "pointerSize": 130,
            }
        return told


@dataclass
class Hub:
    address: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    """Large files by SHA-256, as they were put."""
    asked: list[str] = field(default_factory=list)
    refused: str = ""
    """Part of the addresses that are answered with an error of the hub's own."""

    def commits(self, name: str) -> list[str]:
        """Return the summaries of a repository's commits so far."""
        return list(self.repositories[name].commits) if name in self.repositories else []

    def answer(self, method: str, path: str, token: str, body: bytes) -> Answer:
        """Return status, JSON or bytes, and headers."""
        self.asked.append(f"{method} {path}")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if self.refused and self.refused in parts:
            return 500, {"error": "the hub is down"}, {}
        if method == "PUT":  # to a signed address, without a token
            self.objects[parts[1]] = body
            return 200, {}, {}
        if path in ("/api/repos/create", "/api/validate-yaml"):
            asked = json.loads(body)
            return self._validate(asked) if "content" in asked else self._create(asked, token)
        name = "/".join(parts[2:4] if parts[0] == "api" else parts[:2]).removesuffix(".git")
        repository = self.repositories.get(name)
        if repository is None or (repository.private and token != TOKEN):
            return (
                (404 if token == TOKEN else 401),
                {"error": "Repository not found"},
                {"X-Error-Code": "RepoNotFound"},
            )
        if parts[2] == "resolve":
            return self._resolve(repository, "/".join(parts[4:]), parts[3])
        kind = "batch" if parts[-1] == "batch" else parts[4] if len(parts) > 4 else "revision"
        act = {"preupload": self._preupload, "batch": self._batch, "commit": self._commit, "tree": self._tree}
        return act.get(kind, self._told)(repository, body, name)

    def _told(self, repository: Repository, body: bytes, name: str) -> Answer:
        return (
            200,
            {"id": name, "private": repository.private, "sha": repository.sha, "siblings": [], "tags": []},
            {},
        )

    def _tree(self, repository: Repository, body: bytes, name: str) -> Answer:
        return 200, [repository.entry(path) for path in sorted(repository.files)], {}

    def _validate(self, asked: dict[str, Any]) -> Answer:
        told = ["no name of a licence"] if "no-such-licence" in asked["content"] else []
        errors = [{"message": message} for message in told]
        return (400 if told else 200), {"errors": errors, "warnings": []}, {}

    def _create(self, asked: dict[str, Any], token: str) -> Answer:
        if token != TOKEN:
            return 401, {"error": "Invalid credentials"}, {}
        name = f"{asked['organization'] or 'someone'}/{asked['name']}"
        if name in self.repositories:
            told = {"error": "You already created this model repo", "url": f"{self.address}/{name}"}
            return 409, told, {}
        self.repositories[name] = Repository(
            asked.get("visibility") == "private" or bool(asked.get("private"))
        )
        return 200, {"url": f"{self.address}/{name}", "name": name}, {}

    def _preupload(self, repository: Repository, body: bytes, name: str) -> Answer:
        told = []
        for file in json.loads(body)["files"]:
            large, there = file["size"] >= LARGE, repository.files.get(file["path"])
            oid = None if there is None else hashlib.sha256(there).hexdigest() if large else blob(there)
            mode = "lfs" if large else "regular"
            told.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return 200, {"files": told}, {}

    def _batch(self, repository: Repository, body: bytes, name: str) -> Answer:
        told = []
        for one in json.loads(body)["objects"]:
            put = {"upload": {"href": f"{self.address}/lfs/{one['oid']}"}}
            told.append({**one, **({} if one["oid"] in self.objects else {"actions": put})})
        return 200, {"transfer": "basic", "objects": told}, {}

    def _commit(self, repository: Repository, body: bytes, name: str) -> Answer:
        lines = [json.loads(line) for line in body.splitlines()]
        files, large = dict(repository.files), set(repository.large)
        for line in lines[1:]:
            kind, value = line["key"], line["value"]
            path = value["path"].rstrip("/")
            if kind.startswith("deleted"):
                gone = [one for one in files if one == path or one.startswith(f"{path}/")]
                if not gone:
                    return (
                        404,
                        {"error": "A file with this name doesn't exist"},
                        {"X-Error-Code": "EntryNotFound"},
                    )
                for one in gone:
                    del files[one]
            else:
                files[path] = (
                    base64.b64decode(value["content"]) if kind == "file" else self.objects[value["oid"]]
                )
                (large.add if kind == "lfsFile" else large.discard)(path)
        repository.files, repository.large = files, large & files.keys()
        repository.commits.append(lines[0]["value"]["summary"])
        return (
            200,
            {"commitUrl": f"{self.address}/{name}/commit/{repository.sha}", "commitOid": repository.sha},
            {},
        )

    def _resolve(self, repository: Repository, path: str, revision: str) -> Answer:
        if repository.gated:
            return 403, {"error": "Access to this model is restricted"}, {"X-Error-Code": "GatedRepo"}
        if path not in repository.files or revision not in ("main", repository.sha):
            return 404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"}
        content, entry = repository.files[path], repository.entry(path)
        oid = entry.get("lfs", entry)["oid"]
        return (
            200,
            content,
            {"X-Repo-Commit": repository.sha, "ETag": f'"{oid}"', "X-Linked-Size": str(len(content))},
        )


def blob(content: bytes) -> str:
    """Return git's id of a file."""
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@contextlib.contextmanager
def serving() -> Iterator[Hub]:
    """Serve an empty hub for the length of a block."""
    hub = Hub()

    class Server(ThreadingHTTPServer):
        def handle_error(self, *given: Any) -> None:
            """Say nothing of a client that was killed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            method = "GET" if self.command == "HEAD" else self.command
            status, told, headers = hub.answer(method, urlsplit(self.path).path, token, body)
            content = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
