"""When a directory of an image cannot have been moved: the kernel's default and the mounts."""

import pytest

from freshd.observe.container.overlay import told_to_stay

ROOT = "overlay / overlay rw,relatime,lowerdir=/l/A:/l/B,upperdir=/u,workdir=/w{more} 0 0\n"
REST = "proc /proc proc rw 0 0\ntmpfs /dev tmpfs rw,size=65536k 0 0\n"


@pytest.mark.parametrize(
    ("text", "stay"),
    [
        ("N\n" + ROOT.format(more="") + REST, True),
        ("N\n" + REST + ROOT.format(more=",redirect_dir=off"), True),
        ("N\n" + ROOT.format(more=",userxattr"), True),
        ("Y\n" + ROOT.format(more="") + REST, False),
        ("Y\n" + ROOT.format(more=",redirect_dir=off"), False),  # it may not be shown either
        ("N\n" + ROOT.format(more=",redirect_dir=on") + REST, False),
        ("N\n" + ROOT.format(more=",metacopy=on") + REST, False),
        ("N\n" + ROOT.format(more="") + "/dev/sda1 / ext4 rw 0 0\n", False),
        ("N\n" + ROOT.format(more="").replace(" overlay ", " fuse.fuse-overlayfs "), False),
        ("N\n" + REST, False),
        (ROOT.format(more=""), False),
        ("N", False),
        ("N\n \n / \n", False),
        ("", False),
    ],
)
def test_only_a_kernel_that_never_redirects_keeps_directories_in_place(
    text: str, stay: bool
) -> None:
    assert told_to_stay(text) is stay
