"""How often Amazon lets one account call each operation, as its documentation has it; what it says in an answer
(`x-amzn-RateLimit-Limit`) takes the place of these numbers."""

from enum import StrEnum
from typing import Final

from models.call_rates import CallRate


class Operation(StrEnum):
    """By Amazon's own names."""

    CREATE_FEED_DOCUMENT = "createFeedDocument"
    CREATE_FEED = "createFeed"
    GET_FEED = "getFeed"
    GET_FEEDS = "getFeeds"
    GET_FEED_DOCUMENT = "getFeedDocument"
    CREATE_REPORT = "createReport"
    GET_REPORT = "getReport"
    GET_REPORTS = "getReports"
    GET_REPORT_DOCUMENT = "getReportDocument"
    GET_ORDER = "getOrder"
    LIST_TRANSACTIONS = "listTransactions"


RATES: Final = {
    Operation.CREATE_FEED_DOCUMENT: CallRate(per_second=0.5, burst=15),
    Operation.CREATE_FEED: CallRate(per_second=0.0083, burst=15),
    Operation.GET_FEED: CallRate(per_second=2, burst=15),
    Operation.GET_FEEDS: CallRate(per_second=0.0222, burst=10),
    Operation.GET_FEED_DOCUMENT: CallRate(per_second=0.0222, burst=10),
    Operation.CREATE_REPORT: CallRate(per_second=0.0167, burst=15),
    Operation.GET_REPORT: CallRate(per_second=2, burst=15),
    Operation.GET_REPORTS: CallRate(per_second=0.0222, burst=10),
    Operation.GET_REPORT_DOCUMENT: CallRate(per_second=0.0167, burst=15),
    Operation.GET_ORDER: CallRate(per_second=0.5, burst=30),
    Operation.LIST_TRANSACTIONS: CallRate(per_second=0.5, burst=10),
}
