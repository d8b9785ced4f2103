"""Reads the memory of another process: mem|ptrace PID PATTERN. Prints what matches."""
import ctypes
import re
import sys

how, pid, pattern = sys.argv[1], int(sys.argv[2]), re.compile(sys.argv[3].encode())
libc = ctypes.CDLL(None, use_errno=True)


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def through_proc(start, size, memory):
    memory.seek(start)
    return memory.read(size)


def through_call(start, size, _):
    buffer = ctypes.create_string_buffer(size)
    here, there = Piece(ctypes.addressof(buffer), size), Piece(start, size)
    got = libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    return buffer.raw[:got] if got > 0 else b""


found = set()
try:
    regions = open(f"/proc/{pid}/maps").read().splitlines()
    memory = open(f"/proc/{pid}/mem", "rb", 0) if how == "mem" else None
except OSError as error:
    sys.exit(f"{error}")
for line in regions:
    match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
    if not match:
        continue
    start, end = (int(part, 16) for part in match.groups())
    if end - start > 1 << 28:
        continue
    try:
        data = (through_proc if how == "mem" else through_call)(start, end - start, memory)
    except (OSError, ValueError, OverflowError):
        continue
    found.update(pattern.findall(data))
    found.update(piece.replace(b"\0", b"") for piece in re.findall(rb"(?:[a-z0-9-]\0){20,40}", data) if pattern.search(piece.replace(b"\0", b"")))
if how == "ptrace":
    if libc.ptrace(16, pid, None, None) == 0:
        print("attached")
        libc.ptrace(17, pid, None, None)
for one in sorted(found):
    print(one.decode(errors="replace"))
