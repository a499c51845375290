"""`docker save`: an image's configuration and its layers in one tar."""

import io
import json
import tarfile

from tests.loop.fake.engine import Image


def saved(image: Image) -> bytes:
    history = [
        {"created_by": line.text, "empty_layer": line.layer is None} for line in image.history
    ]
    config = {
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": list(image.layers)},
        "history": history,
    }
    blobs = {"config.json": json.dumps(config).encode()}
    for number, line in enumerate(image.history):
        if line.layer is not None:
            blobs[f"{number}/layer.tar"] = line.layer.tar
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in blobs.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
