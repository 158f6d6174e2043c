"""What a server can be told."""

from ipaddress import ip_address
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

LogLevel = Literal["critical", "error", "warning", "info", "debug"]


class ServeConfig(BaseModel):
    """Address, protection and limits.

    Attributes:
        host: What to listen on; anything but a loopback address needs a token.
        port: TCP port; 0 takes a free one.
        name: What clients call the model (None: its reference).
        token: What clients send as `Authorization: Bearer ...`; None: nothing is asked for.
        rate: Requests per second and client, with bursts of one second's worth; None: unlimited.
        in_flight: Most requests at work or waiting.
        max_body: Most bytes of a request's body.
        grace: Seconds that running requests get when the server is stopped.
        seed: Of the seeds that requests without one get.
        faults: Share of the calls that fail on purpose (`serve.faults`), to try a client.
        log_level: Of the server's log on standard error; `info` has a line per request.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    name: str | None = Field(default=None, min_length=1)
    token: SecretStr | None = None
    rate: float | None = Field(default=None, gt=0, le=1e6, allow_inf_nan=False)
    in_flight: int = Field(default=1024, ge=1)
    max_body: int = Field(default=10_000_000, ge=1)
    grace: int = Field(default=30, ge=1)
    seed: int = 0
    faults: float = Field(default=0.0, ge=0.0, lt=1.0, allow_inf_nan=False)
    log_level: LogLevel = "warning"

    @model_validator(mode="after")
    def _check(self) -> "ServeConfig":
        if self.token is not None and not _sendable(self.token.get_secret_value()):
            raise ValueError("a token is made of letters, digits and marks of ASCII, without spaces")
        if self.token is None and not is_loopback(self.host):
            raise ValueError(f"whoever reaches {self.host} could use the model: set GNOMON_SERVE_TOKEN, or give --token")
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sendable(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token
