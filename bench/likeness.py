"""How long one article's fingerprint takes, by language: python -m bench.likeness. With datasketch installed, it beside."""

import random
import time
from collections.abc import Callable

from crawler.judgement.likeness import fingerprint, similarity

ROUNDS = 300


def made_up(language: str) -> str:
    """An article of usual length: 870 Han characters or 600 English words, drawn as a language draws them (Zipf)."""
    rng = random.Random(7)
    if language == "zh":
        words = ["".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(rng.choice((1, 2, 2, 3)))) for _ in range(3000)]
        return "".join(rng.choices(words, weights=[1 / (n + 1) for n in range(3000)], k=435))
    words = ["".join(rng.choices("etaoinshrdlucm", k=rng.randint(2, 9))) for _ in range(3000)]
    return " ".join(rng.choices(words, weights=[1 / (n + 1) for n in range(3000)], k=600))


def microseconds(work: Callable[[], object]) -> float:
    """The best of three averages over ROUNDS calls."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(ROUNDS):
            work()
        best = min(best, (time.perf_counter() - started) / ROUNDS * 1e6)
    return best


def main() -> None:
    for language in ("zh", "en"):
        measure(language, made_up(language))
    signature = fingerprint("title", made_up("en")).signature
    print(f"similarity: {microseconds(lambda: similarity(signature, signature)):.1f} µs")


def measure(language: str, text: str) -> None:
    print(f"fingerprint {language} ({len(text)} characters): {microseconds(lambda: fingerprint('title', text)):.0f} µs")
    peer(language, text)


def peer(language: str, text: str) -> None:
    """The same shingles through datasketch, if it is here (it is no dependency)."""
    try:
        from datasketch import MinHash  # type: ignore[import-not-found]  # noqa: PLC0415  (optional)
    except ImportError:
        return
    width = 4 if language == "zh" else 8
    shingles = [text[i : i + width].encode() for i in range(len(text) - width + 1)]
    print(f"  datasketch {language}: {microseconds(lambda: MinHash(num_perm=64).update_batch(shingles)):.0f} µs")


if __name__ == "__main__":
    main()
