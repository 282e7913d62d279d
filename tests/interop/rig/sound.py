"""Tones in WAV files: what a phone is given to say, and what another one heard."""

import array
import math
import statistics
import wave


def write_tone(path, hertz, seconds=30, rate=8000):
    """A sine at half of full scale, one channel of 16 bits."""
    turns = (math.tau * hertz * number / rate for number in range(int(seconds * rate)))
    samples = array.array("h", (round(16384 * math.sin(turn)) for turn in turns))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


def pitch(path):
    """How many hertz the loudest quarter of a second of a file has; 0 if it holds no sound."""
    rate, parts = _quarters(path)
    loudest = max(parts, key=lambda part: sum(map(abs, part)), default=())
    return _hertz(loudest, rate) if _is_loud(loudest) else 0


def tone(path):
    """How many hertz most of a file has, quarter by quarter of a second; 0 if it holds no sound."""
    rate, parts = _quarters(path)
    heard = [_hertz(part, rate) for part in parts if _is_loud(part)]
    return statistics.median(heard) if heard else 0


def _quarters(path):
    """The first channel of a file in quarters of a second, and its rate."""
    with wave.open(str(path), "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = array.array("h", file.readframes(file.getnframes()))[::channels]
    window = rate // 4
    starts = range(0, len(samples) - window + 1, window)
    return rate, [samples[at : at + window] for at in starts]


def _is_loud(part):
    return max(map(abs, part), default=0) >= 1000


def _hertz(part, rate):
    """Counts how often the wave passes zero upwards, which is exact enough for one sine."""
    return sum(1 for here, there in zip(part, part[1:]) if here < 0 <= there) * rate / len(part)
