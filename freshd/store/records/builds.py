"""What went into builds: image id -> BuildRecord."""

from typing import cast

from freshd.model.observed.image import BuildRecord
from freshd.store.sqlite.codec import pack_json, pack_text, unpack_json, unpack_text
from freshd.store.sqlite.database import Database


class Builds:
    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, build: BuildRecord) -> None:
        """Add, or replace what was known of the same image."""
        row = (
            build.image_id,
            pack_text(build.service),
            pack_json(dict(build.inputs)),
            pack_json(dict(build.args)),
            build.recorded_at,
            int(build.by_freshd),
        )
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO build VALUES (?, ?, ?, ?, ?, ?)", row)

    def get(self, image_id: str) -> BuildRecord | None:
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT service, inputs, args, recorded_at, by_freshd FROM build"
                " WHERE image_id = ?",
                (image_id,),
            ).fetchone()
        if row is None:
            return None
        service, inputs, args, recorded_at, by_freshd = row
        return BuildRecord(
            image_id=image_id,
            service=unpack_text(service),
            inputs=cast("dict[str, str]", unpack_json(inputs)),
            args=cast("dict[str, str]", unpack_json(args)),
            recorded_at=recorded_at,
            by_freshd=bool(by_freshd),
        )
