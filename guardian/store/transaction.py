"""One open transaction, with an object for each table."""

from sqlalchemy import Connection

from guardian.store.asset_labels import AssetLabels
from guardian.store.assets import Assets
from guardian.store.audit import Audit
from guardian.store.candidates import Candidates
from guardian.store.case_history import CaseHistory
from guardian.store.case_words import CaseWords
from guardian.store.cases import Cases
from guardian.store.compared_assets import ComparedAssets
from guardian.store.counters import Counters
from guardian.store.destinations import Destinations
from guardian.store.earlier_uses import EarlierUses
from guardian.store.evidence import Evidence
from guardian.store.findings import Findings
from guardian.store.fingerprints import Fingerprints
from guardian.store.forgetting import Forgetting
from guardian.store.frontier import Frontier
from guardian.store.idempotency import Idempotency
from guardian.store.labels import Labels
from guardian.store.licences import Licences
from guardian.store.lookalikes import LookAlikes
from guardian.store.memory_settings import MemorySettings
from guardian.store.messages import Messages
from guardian.store.named_searches import NamedSearches
from guardian.store.newly_seen import NewlySeenPictures
from guardian.store.notices import Notices
from guardian.store.operators import Operators
from guardian.store.people import ApiTokens, People, SignInLinks, SignIns
from guardian.store.processes import Processes
from guardian.store.quarantine import Quarantine
from guardian.store.released_evidence import ReleasedEvidence
from guardian.store.requests import Requests
from guardian.store.responses import Responses
from guardian.store.retention import Deletions, Holds
from guardian.store.saved_views import SavedViews
from guardian.store.scan_requests import ScanRequests
from guardian.store.scans import Scans
from guardian.store.seen import Seen
from guardian.store.seen_counts import SeenCounts
from guardian.store.statistics import Statistics
from guardian.store.tasks import Tasks
from guardian.store.upkeep import Upkeep
from guardian.store.versions import Versions
from guardian.store.waiting import WaitingMessages
from guardian.store.words import Words
from guardian.store.works import Works


class Transaction:
    """The tables as one `Store.begin()` or `Store.read()` block sees them; of no use after it."""

    def __init__(self, connection: Connection) -> None:
        self.audit = Audit(connection)
        self.assets = Assets(connection)
        self.compared_assets = ComparedAssets(connection)
        self.asset_labels = AssetLabels(connection)
        self.works = Works(connection)
        self.licences = Licences(connection)
        self.lookalikes = LookAlikes(connection)
        self.candidates = Candidates(connection)
        self.counters = Counters(connection)
        self.findings = Findings(connection)
        self.versions = Versions(connection)
        self.released_evidence = ReleasedEvidence(connection)
        self.evidence = Evidence(connection)
        self.holds = Holds(connection)
        self.deletions = Deletions(connection)
        self.case_history = CaseHistory(connection, self.audit)
        self.cases = Cases(connection, self.case_history)
        self.operators = Operators(connection)
        self.case_words = CaseWords(connection)
        self.statistics = Statistics(connection)
        self.people = People(connection)
        self.sign_in_links = SignInLinks(connection)
        self.sign_ins = SignIns(connection)
        self.api_tokens = ApiTokens(connection)
        self.processes = Processes(connection)
        self.messages = Messages(connection)
        self.waiting = WaitingMessages(connection)
        self.tasks = Tasks(connection)
        self.destinations = Destinations(connection)
        self.notices = Notices(connection)
        self.scans = Scans(connection)
        self.scan_requests = ScanRequests(connection)
        self.saved_views = SavedViews(connection)
        self.frontier = Frontier(connection)
        self.earlier_uses = EarlierUses(connection)
        self.seen = Seen(connection)
        self.newly_seen = NewlySeenPictures(connection)
        self.seen_counts = SeenCounts(connection)
        self.memory_settings = MemorySettings(connection)
        self.forgetting = Forgetting(connection)
        self.fingerprints = Fingerprints(connection)
        self.words = Words(connection)
        self.labels = Labels(connection)
        self.upkeep = Upkeep(connection)
        self.named_searches = NamedSearches(connection)
        self.quarantine = Quarantine(connection)
        self.requests = Requests(connection)
        self.responses = Responses(connection)
        self.idempotency = Idempotency(connection)
