"""One server of a tiny local model for the tests of this folder."""

from collections.abc import Iterator

import openai
import pytest

from gnomon.models.local import LocalModel
from gnomon.serve.background import serving
from tests.models.tiny import llama_model


@pytest.fixture(scope="session")
def local() -> LocalModel:
    return llama_model()


@pytest.fixture(scope="session")
def url(local: LocalModel) -> Iterator[str]:
    with serving(local) as address:
        yield address.url


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        yield client
