from __future__ import annotations

from pathlib import Path

from alif.llm.network_fs import network_mount


def test_network_mounts_are_found_by_the_longest_place(tmp_path: Path) -> None:
    shared = tmp_path / "a folder"
    (shared / "local").mkdir(parents=True)
    mounts = tmp_path / "mounts"
    escaped = str(shared).replace(" ", "\\040")
    places = [("/", "ext4"), (escaped, "nfs4"), (f"{escaped}/local", "xfs"), (escaped[:-1], "cifs")]
    mounts.write_text("".join(f"server:/x {place} {kind} rw 0 0\n" for place, kind in places))
    assert network_mount(tmp_path / "ledger.sqlite", mounts) == ""
    assert network_mount(shared / "ledger.sqlite", mounts) == "nfs4"
    assert network_mount(shared / "new" / "ledger.sqlite", mounts) == "nfs4"
    assert network_mount(shared / "local" / "ledger.sqlite", mounts) == ""
    assert network_mount(shared, tmp_path / "nothing", ("false",)) == ""


def test_where_there_is_no_list_the_command_is_asked(tmp_path: Path) -> None:
    shared = tmp_path / "a (shared) folder"
    (shared / "local").mkdir(parents=True)
    shown = [
        "/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)",
        "map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)",
        f"//me@server/x on {shared} (smbfs, nodev, nosuid, mounted by me)",
        f"/dev/disk4 on {shared}/local (apfs)",
    ]
    (tmp_path / "shown").write_text("\n".join(shown) + "\n")
    asked = (tmp_path / "nothing", ("cat", str(tmp_path / "shown")))
    assert network_mount(shared / "ledger.sqlite", *asked) == "smbfs"
    assert network_mount(shared / "local" / "ledger.sqlite", *asked) == ""
    assert network_mount(tmp_path / "ledger.sqlite", *asked) == ""
    assert network_mount(shared, tmp_path / "nothing", (str(tmp_path / "no such program"),)) == ""
