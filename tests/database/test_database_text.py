"""What people write is kept as they wrote it; what can't be kept is refused at the door."""

import pytest

from models.failures import InvalidInput
from models.returns import ReturnRequest
from tests.database.story import Story


def request_saying(words: str) -> ReturnRequest:
    line = {"sku": "A", "quantity": 1, "reason": "broken", "buyer_words": words}
    return ReturnRequest.at_the_door({"return_id": "RR-1", "order_id": "1001", "lines": [line]})


@pytest.mark.parametrize("words", ["Paßt nicht 😀", "不合适", "it's 'broken'; DROP TABLE returns;--", "a\nb\tc"])
def test_RET_19_the_buyers_words_come_back_as_they_were_written(story: Story, words: str) -> None:
    story.delivered(("A", 1, "10.00"))
    story.open_return(request_saying(words))
    assert [line.buyer_words for line in story.reading.return_view("RR-1").lines] == [words]


def test_RET_16_a_text_that_no_database_takes_is_refused_at_the_door() -> None:
    with pytest.raises(
        InvalidInput, match=r"lines\.0\.buyer_words: a text can't hold the control character U\+0000"
    ):
        request_saying("a\0b")
