"""The synthetic world that organisms live in: islands, people and facts, all invented."""

from gnomon.organisms.world.document import Document
from gnomon.organisms.world.facts import Fact
from gnomon.organisms.world.synthetic import World, world

__all__ = ["Document", "Fact", "World", "world"]
