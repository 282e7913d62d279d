"""Tones in WAV files: what a phone is given to say, and what another one heard."""

import array
import math
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
    """How many hertz the loudest quarter of a second of a file has; 0 if it holds no sound. Counts
    how often the wave passes zero upwards, which is exact enough for one sine."""
    with wave.open(str(path), "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = array.array("h", file.readframes(file.getnframes()))[::channels]
    window = rate // 4
    parts = [samples[at : at + window] for at in range(0, len(samples) - window + 1, window)]
    loudest = max(parts, key=lambda part: sum(map(abs, part)), default=array.array("h"))
    if not loudest or max(map(abs, loudest)) < 1000:
        return 0
    upwards = sum(1 for here, there in zip(loudest, loudest[1:]) if here < 0 <= there)
    return upwards * rate / window
