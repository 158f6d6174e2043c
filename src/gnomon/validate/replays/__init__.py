"""Failures that were seen in real tools, run through gnomon's own code: each must be flagged.

A replay builds the situation, hands it to the code that an audit uses, and looks at what comes out. `flagged` is what it saw; the
part under test is an argument, so that the tests can put a faulty one in its place and see the replay come out unflagged.
"""

from gnomon.validate.replays.replay import Replay, replay_all

__all__ = ["Replay", "replay_all"]
