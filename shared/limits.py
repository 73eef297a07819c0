"""Names every maximum and every time, with its reason.

Passing a maximum raises; nothing is cut in silence.

Suffixes give units: `_s` seconds, `_bytes`, `_max` a count or a bound.
"""

from decimal import Decimal

# --- Events -----------------------------------------------------------------------------------
INLINE_BYTES_MAX = 64 * 1024
"""Larger event data goes by claim check: brokers and headers stay fast."""

CLAIM_CHECK_BYTES_MAX = 1024 * 1024
"""The largest value behind a claim check; a larger result becomes an error for the model."""

EVENT_BYTES_MAX = 1024 * 1024
"""A Kafka-class ingress answers 503 from here on, which a sender would retry forever."""

ATTRIBUTE_CHARS_MAX = 4096
"""The broker's ingress refuses header blocks above about 8 KiB."""

# --- Publishing -------------------------------------------------------------------------------
PUBLISH_ATTEMPTS_MAX = 4
PUBLISH_WAIT_MAX_S = 2.0
TOKEN_KEPT_S = 10.0
PUBLISH_TIMEOUT_S = 10.0
"""One POST to the broker's ingress; Kafka's own acknowledgement may hang, the outbox retries."""

# --- Deliveries (tested together against the manifests) ---------------------------------------
HANDLER_TIMEOUT_S = 180.0
"""The longest a handler of an event may take: three model attempts and what surrounds them."""

CLAIM_LEASE_S = 10.0
"""How long a step claim lives without a renewal: the longest stall after a kill."""

CLAIM_RENEW_S = 3.0
COMMIT_RETRIES_MAX = 10
"""Version conflicts reloaded and decided again in the process, before the delivery is Busy."""

OVERDUE_AFTER_COMMIT_S = 5.0
"""When the watchdog looks after events that a commit left unpublished."""

STEP_SILENCE_S = 300.0
"""A step without progress for this long is nudged; longer than any tool may run."""

NUDGES_MAX = 5
"""Nudges without progress before the watchdog ends the task."""

# --- Tasks ------------------------------------------------------------------------------------
STEPS_MAX = 25
STEPS_DEFAULT = 10
TOKENS_MIN, TOKENS_MAX, TOKENS_DEFAULT = 512, 32768, 8192
DEADLINE_DEFAULT_S = 900.0
DEADLINE_MAX_S = 7 * 86400.0
TASK_COST_DEFAULT_USD = Decimal("1")
"""A task always has a limit in both units; who needs more says so."""

TASK_COST_MAX_USD = Decimal("10000")
PROMPT_CHARS_MAX = 32_000
CONTEXT_CHARS_MAX = 32_000
METADATA_TAGS_MAX = 16
TAG_CHARS_MAX = 128
REVISION_CHARS_MAX = 63
"""A Knative revision's name is a DNS label."""
TOOL_CALLS_PER_STEP_MAX = 16
"""More calls in one answer are refused to the model, not run."""

ATTEMPTS_MAX = 3
"""Dispatches of one step's model call, or runs of one tool call, before it fails."""

OUTPUT_TOKENS_MIN = 256
"""The smallest output cap worth asking a model for."""

OUTPUT_TOKENS_MAX = 4096
HOPS_BASE = 10
"""Hops inside one task are at most 2 × max_steps + this: brokers have no loop protection."""

DEPTH_MAX = 4
CHAIN_MAX = 16
ANCESTORS_MAX = 4
GRANT_KEYS_MAX = 3
"""While keys change: the one that signs, the one before it, one to spare."""

GRANT_KEY_CHARS_MIN = 32
"""256 bits for HS256 (RFC 7518, section 3.2), each character taken for one byte."""

FINISHED_TASK_BYTES_MAX = 20 * 1024
"""In Redis: half for the document and its steps, the rest for the stream and Redis's own."""

STREAM_ENTRIES_KEPT = 32
"""Of a finished task's stream, the latest: what ten steps leave.

Redis frees whole nodes of 4 KiB, so a little more stays.
"""

RESULT_CHARS_MAX = 8_000
"""A tool's result as the model sees it; more is folded, with a note that says so."""

HISTORY_TURNS_MAX = 20
LIST_PAGE_MAX = 200
WAKE_AGAIN_S = 2.0
"""First wait after a `held` denial or a ledger outage; doubles up to WAKE_AGAIN_MAX_S."""

WAKE_AGAIN_MAX_S = 60.0

# --- Models -----------------------------------------------------------------------------------
MODEL_TIMEOUT_S = 30.0
MODEL_WAIT_MAX_S = 15.0
MODEL_READY_CACHE_S = 10.0
MODEL_READY_TIMEOUT_S = 3.0
MODEL_CONNECT_TIMEOUT_S = 5.0
MODEL_STREAM_BYTES_MAX = 4 * 1024 * 1024
"""One streamed answer; a provider that sends more has lost its mind."""

BREAKER_FAILURES_MAX = 5
"""Failures of a provider in a row, before calls are refused at once."""

BREAKER_OPEN_S = 20.0

DELIVERY_ERROR_BYTES_MAX = 768
"""What a Broker keeps of a refusal: 1024 characters of base64. Knative's in-memory dispatcher
(1.22) ends with a panic on one byte more."""

# --- HTTP APIs --------------------------------------------------------------------------------
REQUEST_BYTES_MAX = 1024 * 1024
RUN_WAIT_MAX_S = 240.0
"""How long POST /run waits: below the gateway's timeoutSeconds."""

STREAM_MAX_S = 240.0
STREAM_HEARTBEAT_S = 15.0
STREAM_POLL_S = 2.0
"""How often a waiter reads the task's stream when no hint comes."""

# --- State ------------------------------------------------------------------------------------
STATE_TTL_S = 14 * 86400
"""Step claims, task tombstones, tool results, reservation rows, claim checks."""

TOPIC_RETENTION_S = 6 * 86400
REDRIVE_MAX_S = 7 * 86400
"""Retention + longest redrive stay below STATE_TTL_S, or a late duplicate finds no trace."""

GRANT_GRACE_S = 14 * 86400
"""A grant is valid this long after the task's deadline."""

POST_UNKNOWN_MAX_S = 7 * 86400
"""A reservation found unknown is posted as unreserved only this long after its dispatch."""

REDIS_TIMEOUT_S = 5.0
REDIS_CONNECTIONS_MAX = 64
REDIS_COPIES_MAX = 5  # as many replicas as a managed Redis has at most
REDIS_COPIED_MS = 1_000
"""A replica in another zone has a write after 2 ms; one that takes this long is away."""

SCRIPT_BATCH_MIN, SCRIPT_BATCH_MAX = 8, 64
"""Scripts sent in one write: at 0.2 ms each the last one's answer waits 13 ms for the others'."""

# --- Ledger -----------------------------------------------------------------------------------
AMOUNT_MAX = 2**53 - 1
"""nano-USD, tokens or calls: what a Lua number holds exactly."""

ACCOUNTS_PER_CALL_MAX = 16
LEASE_SLACK_S = 30.0
LEASE_MAX_S = 3600.0
"""The longest lease: an orphaned hold starves others no longer than this."""

STALE_RETRIES_MAX = 3
"""Times a script is asked again after limits or a window changed under it."""

TENANT_CACHE_S = 5.0
"""A reserve sees a new limit at once; a settle sees new prices and alerts after this."""

RESERVE_BATCH_MAX = 100
"""Reservations of one request: some 10 ms of Redis's time."""

STOPS_MAX = 200
"""Agents, tools and tenants stopped at once: every ledger keeps all of them in memory."""

BUDGET_FILE_BYTES_MAX = 512 * 1024
BUDGETS_PER_TENANT_MAX = 2_000
"""A ledger keeps all of them in memory, and reads them again when one changes."""

RERATE_PAGE_MAX = 200
ASKS_MAX = 8
"""Questions of one step that were denied, each for less, before the denial stands."""

PAUSE_MAX_S = 7 * 86400.0
"""How long a task may wait for budget, in all; well within its grant's grace."""

PAUSE_LOOK_S, PAUSE_LOOK_MAX_S = 900.0, 6 * 3600.0
"""A paused task looks by itself after the first, doubled up to the second; a changed budget wakes
it at once."""

PAUSED_WOKEN_MAX = 2_000
"""Paused tasks of a tenant that one change of its budgets wakes."""

DRAWS_MAX = 200
"""Times a call takes chunks of a cap that other calls then use up before it does."""

ESCROW_BACK_EVERY_TICKS = 60
"""Sweeps between two looks for chunks that a tenant does not need."""

OUTBOX_EVERY_S, OUTBOX_BATCH_MAX = 0.02, 64
OUTBOX_TENANTS_MAX = OUTBOX_POSTS_MAX = 8
"""Tenants, and events of each, published at once: a broker that takes 10 ms takes 800 a second."""

OUTBOX_CLAIM_S = 5.0
"""An event read by a ledger that then died is published by another one after this."""

SWEEP_EVERY_S = 1.0
SWEEP_BATCH_MAX = 100
EVENTS_PAGE_MAX = 200
LEDGER_TIMEOUT_S = 5.0
"""One call of the ledger, repeats included; longer means it is away and the work is put off. Only
settles and postings have this long for each of their attempts: their money is spent."""

LEDGER_STORE_TIMEOUT_S = 2.0
"""One command of the ledger to Redis; with its repeat it fails before the caller gives up."""

LEDGER_ATTEMPTS_MAX = 3
"""Requests of one call of the ledger; all of them may be repeated without harm."""

SETTLE_ATTEMPTS_MAX = 5
"""A settle is worth more patience: the money is spent; a redelivery settles what is left."""

# --- Tools ------------------------------------------------------------------------------------
TOOL_TIMEOUT_S = 120.0

CALCULATION_EXPRESSIONS_MAX = 100
CALCULATION_CHARS_MAX = 1000
"""One expression."""

CALCULATION_STEPS_MAX = 10_000
"""Numbers, names and operations of one call: some milliseconds."""

CALCULATION_DEPTH_MAX = 200
"""A chain of additions nests as deep as it is long; three frames a level fit the stack."""

CALCULATION_BITS_MAX = 8192
"""Of a numerator or a denominator: below Python's limit for writing integers."""

CALCULATION_EXPONENT_MAX = 1000
CALCULATION_DECIMALS_MAX = 100
CALCULATION_DIGITS_MAX = 120
"""An exact result with more digits helps no model; the rounded one is there."""

DOCUMENT_BYTES_MAX = 8 * 1024 * 1024
"""What the reader loads of one file or address."""

DOCUMENT_TIMEOUT_S = 20.0
DOCUMENT_PAGE_CHARS_MAX = 6_000
"""Text in one result: below RESULT_CHARS_MAX, so that a model sees all of it."""

DOCUMENT_ROWS_MAX = 50
DOCUMENT_GROUPS_MAX = 50
DOCUMENT_COLUMNS_MAX = 64
DOCUMENT_REDIRECTS_MAX = 3
NOTIFY_ATTEMPTS_MAX = 3
NOTIFY_TIMEOUT_S = 10.0

# ---- rollouts -------------------------------------------------------------------------------
ROLLOUT_SAMPLES_MAX = 5_000
"""Tasks or runs kept per rollout: what these do not show no verdict needs."""

ROLLOUT_FIELDS_MAX = 60_000
"""Their events in Redis, about 6 MiB; more are not counted."""

ROLLOUT_DURATION_MIN_S = 60.0
"""The timer that ends a rollout ticks each minute."""

ROLLOUT_DURATION_MAX_S = 7 * 24 * 3600.0
ROLLOUT_REASON_CHARS_MAX = 500
ROLLOUT_LOOK_EVERY_S = 5.0
"""Events between two looks share one: a look reads all samples."""

ROLLOUT_LIST_FRESH_S = 10.0
"""How long a process believes which rollouts run: one request to the API server in this time."""

ROLLOUT_LATE_S = 60.0
"""After a task's end, its attribution events are there or are not waited for."""

KUBERNETES_TIMEOUT_S = 10.0

# ---- costs ----------------------------------------------------------------------------------
COST_ROWS_MAX = 10_000
"""Different combinations of what costs are grouped by, per tenant; what comes after is summed
under fewer dimensions, twice as many at most: the answers stay within milliseconds."""

COST_ROWS_SHOWN_MAX = 10_000
COST_HOURS_DAYS_MAX = 62
"""Days whose hours one question may tell apart: two months."""

COST_PLACES_MAX = 10_000
"""Tasks that one question may look at: some 100 ms."""

COST_EDGE_EVENTS_MAX = 20_000
"""Events that one question may read one by one, where its span cuts an hour or a day."""

COST_ARCHIVE_EVENTS_MAX = 5_000
"""Events in one object of the archive: some MiB in memory while it is written or read."""
