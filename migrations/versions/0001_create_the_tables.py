"""Create the tables."""

import sqlalchemy as sa
from alembic import op

from migrations.triggers_0001 import MAY_CHANGE, Kept, Trigger, triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


WORKLISTS = (
    "to_release",
    "to_choose",
    "buyer_wants_to_cancel",
    "to_approve",
    "rma_to_type",
    "parcel_overdue",
    "credit_overdue",
    "buyer_to_refund",
    "refund_to_confirm",
    "balance_short",
    "money_in_doubt",
    "to_decide",
    "orphans",
    "partner_in_trouble",
    "faults_of_ours",
    "staff_to_act",
    "promises_at_risk",
)
SIDE_BY_SIDE = (
    "in_transit",
    "awaiting_credit",
    "refunding_seller",
    "awaiting_buyer_refund",
    "refunding_buyer",
)


def plain(*columns: str) -> str:
    """The condition that amounts are digits, as text on SQLite and as a number on PostgreSQL."""
    conditions = []
    for column in columns:
        said = f"CAST({column} AS TEXT)"
        conditions += [f"ltrim({said}, '-0123456789.') = ''", f"{said} NOT IN ('', '-', '.')"]
        conditions += [f"{said} NOT LIKE '_%-%'", f"{said} NOT LIKE '%.%.%'"]
    return " AND ".join(conditions)


def code(column: str) -> str:
    """The condition that a currency is three capital letters."""
    return f"length({column}) = 3 AND ltrim({column}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') = ''"


def upgrade() -> None:
    op.create_table(
        "case_file",
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("also_at", sa.String(), nullable=False),
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("waiting_on", sa.String(), nullable=True),
        sa.Column("waiting_for", sa.String(), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sla_state", sa.String(), nullable=False),
        sa.Column("custody", sa.String(), nullable=True),
        sa.Column("money", sa.String(), nullable=False),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("held_up_by", sa.String(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("newness", sa.String(), nullable=False),
        sa.CheckConstraint("CAST(last_step AS BIGINT) = last_step", name=op.f("ck_case_file_numbers_are_whole")),
        sa.CheckConstraint(
            "custody IN ('not_bought', 'at_supplier', 'partly_shipped', 'shipped', 'with_buyer', "
            "'coming_back', 'partly_received', 'received', 'stays_with_buyer', 'never_arrived')",
            name=op.f("ck_case_file_custody_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "kind IN ('order', 'return', 'refund', 'orphan', 'cost-review', 'claim', 'batch', 'report-import')",
            name=op.f("ck_case_file_kind_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "money IN ('none', 'asked', 'pending', 'in_doubt', 'confirmed', 'failed_afterwards')",
            name=op.f("ck_case_file_money_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "sla_state IN ('on_time', 'at_risk', 'breached')", name=op.f("ck_case_file_sla_state_is_a_known_word")
        ),
        sa.CheckConstraint(
            "(kind = 'order' AND stage IN ('received', 'awaiting_release', 'awaiting_payment', "
            "'cancel_window', 'on_hold', 'placing', 'awaiting_shipment', 'awaiting_choice', 'awaiting_stock', "
            "'cancelling', 'shipped', "
            "'cancelled', 'voided', 'stopped', 'terminated', 'refused')) OR (kind = 'return' AND "
            "stage IN ('opening', 'awaiting_approval', 'awaiting_rma', 'rma_refused', 'awaiting_tracking', "
            "'expired', 'in_transit', 'awaiting_credit', 'refunding_seller', 'awaiting_buyer_refund', "
            "'refunding_buyer', 'replacing', 'completed', 'rejected', 'withdrawn', 'refused_by_supplier', 'refused', "
            "'stopped', 'terminated')) OR (kind = 'refund' AND stage IN ('reserving', 'awaiting_confirmation', 'sending', 'pending', "
            "'succeeded', 'failed', 'refused', 'terminated')) OR (kind = 'orphan' AND stage IN ('looking', "
            "'unmatched', 'several_fit', 'delivering', 'not_taken', 'matched', 'dismissed', 'expired', "
            "'stopped', 'terminated')) OR (kind = 'cost-review' AND stage IN ('opening', 'awaiting_decision', "
            "'approved', 'rejected', 'withdrawn', 'refused', 'stopped', 'terminated')) OR (kind = 'claim' AND stage IN "
            "('opening', 'awaiting_decision', 'approved', 'rejected', 'withdrawn', 'refused', 'stopped', 'terminated')) "
            "OR (kind = 'batch' AND stage IN ('sending', 'in_doubt', 'processing', 'done', 'refused', 'stopped', "
            "'terminated')) "
            "OR (kind = 'report-import' AND stage IN ('asking', 'in_the_making', 'downloading', 'importing', 'imported', "
            "'no_data', 'refused', 'stopped', 'terminated'))",
            name=op.f("ck_case_file_stage_is_one_of_its_kind"),
        ),
        sa.CheckConstraint(
            "waiting_on IN ('seller', 'buyer', 'supplier', 'staff', 'gateway', 'shop', 'mail server', "
            "'books', 'clock', 'backhaul')",
            name=op.f("ck_case_file_waiting_on_is_a_known_word"),
        ),
        sa.CheckConstraint("ended IN (true, false)", name=op.f("ck_case_file_ended_is_yes_or_no")),
        sa.CheckConstraint(
            "(also_at = '' OR also_at LIKE ',_%,') AND (work = '' OR work LIKE ',_%,') "
            "AND (held_up_by = '' OR held_up_by LIKE ',_%,')",
            name=op.f("ck_case_file_words_stand_between_commas"),
        ),
        sa.CheckConstraint("last_step >= -1", name=op.f("ck_case_file_last_step_is_counted")),
        sa.CheckConstraint(
            "length(urgency) = 19 AND length(newness) = 18", name=op.f("ck_case_file_sorts_as_text")
        ),
        sa.PrimaryKeyConstraint("workflow_id", name=op.f("pk_case_file")),
    )
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.create_index("ix_case_file_listed", ["kind", "urgency", "newness", "workflow_id"], unique=False)
        batch_op.create_index(
            "ix_case_file_seller", ["kind", "seller_id", "urgency", "newness", "workflow_id"], unique=False
        )
        batch_op.create_index(
            "ix_case_file_seller_stage",
            ["kind", "seller_id", "stage", "urgency", "newness", "workflow_id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_case_file_stage", ["kind", "stage", "urgency", "newness", "workflow_id"], unique=False
        )
        for work in WORKLISTS:
            batch_op.create_index(
                f"ix_case_file_work_{work}",
                ["urgency", "newness", "workflow_id"],
                unique=False,
                sqlite_where=sa.text(f"work LIKE '%,{work},%'"),
                postgresql_where=sa.text(f"work LIKE '%,{work},%'"),
            )
        for stage in SIDE_BY_SIDE:
            batch_op.create_index(
                f"ix_case_file_also_at_{stage}",
                ["urgency", "newness", "workflow_id"],
                unique=False,
                sqlite_where=sa.text(f"also_at LIKE '%,{stage},%'"),
                postgresql_where=sa.text(f"also_at LIKE '%,{stage},%'"),
            )

    op.create_table(
        "case_step",
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.CheckConstraint("CAST(number AS BIGINT) = number", name=op.f("ck_case_step_numbers_are_whole")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_case_step_number_is_not_negative")),
        sa.PrimaryKeyConstraint("workflow_id", "run_id", "number", name=op.f("pk_case_step")),
    )
    op.create_table(
        "alert",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("CAST(number AS BIGINT) = number", name=op.f("ck_alert_numbers_are_whole")),
        sa.CheckConstraint("number > 0", name=op.f("ck_alert_number_is_positive")),
        sa.PrimaryKeyConstraint("topic", "hour", "number", name=op.f("pk_alert")),
    )
    op.create_table(
        "case_number",
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workflow_id", "folded", name=op.f("pk_case_number")),
    )
    with op.batch_alter_table("case_number", schema=None) as batch_op:
        batch_op.create_index("ix_case_number_folded", ["folded", "workflow_id"], unique=False)

    op.create_table(
        "orphan",
        sa.Column("orphan_id", sa.String(), nullable=False),
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("seller_id", sa.String(), nullable=True),
        sa.Column("supplier_id", sa.String(), nullable=True),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("matched_to", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "about IN ('order', 'return', 'refund', 'orphan', 'cost-review', 'claim', 'batch', 'report-import')",
            name=op.f("ck_orphan_about_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "event IN ('return_request', 'shipment', 'shipment_corrected', 'delivered', 'cancel_request', 'hold', "
            "'supplier_rma', 'return_tracking', 'goods_received', 'credit_memo', 'channel_update', 'withdrawal', "
            "'gateway_update')",
            name=op.f("ck_orphan_event_is_a_known_word"),
        ),
        sa.PrimaryKeyConstraint("orphan_id", name=op.f("pk_orphan")),
        sa.UniqueConstraint("workflow_id", name=op.f("uq_orphan_workflow_id")),
    )
    op.create_table(
        "mail_sent",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mail_sent")),
    )
    op.create_table(
        "connection",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("base_url", sa.String(), nullable=True),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("webhook_secrets", sa.String(), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('payments', 'supplier', 'channel')", name=op.f("ck_connection_kind_is_a_known_word")
        ),
        sa.CheckConstraint(
            "provider IN ('stripe', 'paypal', 'authorize_net', 'supplier_json', 'shop_json', 'amazon')",
            name=op.f("ck_connection_provider_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "owner = 'broker' OR owner LIKE 'seller:_%' OR owner LIKE 'supplier:_%'",
            name=op.f("ck_connection_owner_is_known"),
        ),
        sa.CheckConstraint("active IN (true, false)", name=op.f("ck_connection_active_is_yes_or_no")),
        sa.CheckConstraint(
            "secret LIKE 'env:_%' OR secret LIKE 'file:_%'", name=op.f("ck_connection_secret_is_a_reference")
        ),
        sa.CheckConstraint(
            "(' ' || webhook_secrets LIKE ' env:_%' OR ' ' || webhook_secrets LIKE ' file:_%') "
            "AND replace(replace(' ' || webhook_secrets, ' env:', ''), ' file:', '') NOT LIKE '% %'",
            name=op.f("ck_connection_webhook_secrets_are_references"),
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_connection")),
    )
    with op.batch_alter_table("connection", schema=None) as batch_op:
        batch_op.create_index("ix_connection_owner", ["owner", "kind"], unique=False)
        batch_op.create_index(
            "uq_connection_of_a_supplier",
            ["owner"],
            unique=True,
            sqlite_where=sa.text("kind = 'supplier' AND active AND owner <> 'broker'"),
            postgresql_where=sa.text("kind = 'supplier' AND active AND owner <> 'broker'"),
        )

    op.create_table(
        "webhook",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("workflow_id", sa.String(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("CAST(times AS BIGINT) = times", name=op.f("ck_webhook_numbers_are_whole")),
        sa.CheckConstraint(
            "state IN ('delivered', 'ended', 'orphan', 'ignored')", name=op.f("ck_webhook_state_is_a_known_word")
        ),
        sa.CheckConstraint("times > 0", name=op.f("ck_webhook_times_is_positive")),
        sa.CheckConstraint(
            "(workflow_id IS NULL) = (state = 'ignored')", name=op.f("ck_webhook_went_to_a_case_or_is_ignored")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.connection_id"], name=op.f("fk_webhook_connection_id_connection")
        ),
        sa.PrimaryKeyConstraint("connection_id", "event_id", name=op.f("pk_webhook")),
    )
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_received", ["received_at", "connection_id", "event_id"], unique=False)

    op.create_table(
        "report_import",
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("counted", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('returns', 'orders', 'settlement')", name=op.f("ck_report_import_kind_is_a_known_word")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.connection_id"],
            name=op.f("fk_report_import_connection_id_connection"),
        ),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_report_import")),
    )
    op.create_table(
        "reported_case",
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.CheckConstraint("CAST(position AS BIGINT) = position", name=op.f("ck_reported_case_numbers_are_whole")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_reported_case_position_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["report_import.import_id"], name=op.f("fk_reported_case_import_id_report_import")
        ),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_reported_case")),
    )
    op.create_table(
        "rejected_row",
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column_name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.CheckConstraint("CAST(line AS BIGINT) = line", name=op.f("ck_rejected_row_numbers_are_whole")),
        sa.CheckConstraint("line > 0", name=op.f("ck_rejected_row_line_is_positive")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["report_import.import_id"], name=op.f("fk_rejected_row_import_id_report_import")
        ),
        sa.PrimaryKeyConstraint("import_id", "line", "column_name", name=op.f("pk_rejected_row")),
    )
    op.create_table(
        "call_rate",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("per_second", sa.Float(), nullable=False),
        sa.Column("rested_at", sa.Float(), nullable=False),
        sa.CheckConstraint("per_second > 0", name=op.f("ck_call_rate_per_second_is_positive")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.connection_id"], name=op.f("fk_call_rate_connection_id_connection")
        ),
        sa.PrimaryKeyConstraint("connection_id", "operation", name=op.f("pk_call_rate")),
    )
    op.create_table(
        "webhook_refusal",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("CAST(times AS BIGINT) = times", name=op.f("ck_webhook_refusal_numbers_are_whole")),
        sa.CheckConstraint(
            "why IN ('not_signed', 'unreadable')", name=op.f("ck_webhook_refusal_why_is_a_known_word")
        ),
        sa.CheckConstraint("times > 0", name=op.f("ck_webhook_refusal_times_is_positive")),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.connection_id"],
            name=op.f("fk_webhook_refusal_connection_id_connection"),
        ),
        sa.PrimaryKeyConstraint("connection_id", "day", "why", name=op.f("pk_webhook_refusal")),
    )
    op.create_table(
        "seller",
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seller_id", name=op.f("pk_seller")),
    )
    op.create_table(
        "supplier",
        sa.Column("supplier_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("supplier_id", name=op.f("pk_supplier")),
    )
    op.create_table(
        "orders",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("channel_order_id", sa.String(), nullable=True),
        sa.Column("channel_order_key", sa.String(), nullable=True),
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaces", sa.String(), nullable=True),
        sa.Column("split_from", sa.String(), nullable=True),
        sa.Column("payment_amount", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("payment_moved", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("payment_currency", sa.String(), nullable=False),
        sa.Column("charge_currency", sa.String(), nullable=False),
        sa.Column("charge_connection_id", sa.String(), nullable=True),
        sa.Column("cancel_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handoff_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("corrected_address", sa.JSON(), nullable=True),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("seller", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "channel IN ('web_shop', 'ebay', 'amazon')", name=op.f("ck_orders_channel_is_a_known_word")
        ),
        sa.CheckConstraint(
            "CAST(payment_amount AS NUMERIC) >= 0", name=op.f("ck_orders_payment_amount_is_not_negative")
        ),
        sa.CheckConstraint(
            plain("payment_amount", "payment_moved"), name=op.f("ck_orders_amounts_are_plain_numbers")
        ),
        sa.CheckConstraint(
            "CAST(payment_moved AS NUMERIC) BETWEEN 0 AND CAST(payment_amount AS NUMERIC)",
            name=op.f("ck_orders_no_more_moves_than_was_paid"),
        ),
        sa.CheckConstraint("split_from <> order_id", name=op.f("ck_orders_split_from_is_another")),
        sa.CheckConstraint(
            "run_id IS NOT NULL OR split_from IS NOT NULL",
            name=op.f("ck_orders_only_what_is_split_off_opens_later"),
        ),
        sa.CheckConstraint(
            "(channel_order_id IS NULL) = (channel_order_key IS NULL)",
            name=op.f("ck_orders_channel_order_id_is_whole"),
        ),
        sa.CheckConstraint(
            code("charge_currency"),
            name=op.f("ck_orders_charge_currency_is_a_code"),
        ),
        sa.CheckConstraint(
            code("payment_currency"),
            name=op.f("ck_orders_payment_currency_is_a_code"),
        ),
        sa.UniqueConstraint("order_id", "seller_id", name="uq_orders_of_seller"),
        sa.ForeignKeyConstraint(
            ["charge_connection_id"],
            ["connection.connection_id"],
            name=op.f("fk_orders_charge_connection_id_connection"),
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.seller_id"], name=op.f("fk_orders_seller_id_seller")),
        sa.ForeignKeyConstraint(["split_from"], ["orders.order_id"], name=op.f("fk_orders_split_from_orders")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_orders")),
        sa.UniqueConstraint("replaces", name=op.f("uq_orders_replaces")),
        sa.UniqueConstraint("seller_id", "channel", "channel_order_key", name="uq_orders_channel_order"),
        sa.UniqueConstraint("workflow_id", name=op.f("uq_orders_workflow_id")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_channel_order_id"), ["channel_order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_handoff_due"), ["handoff_due"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_received_at"), ["received_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_seller_id"), ["seller_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_split_from"), ["split_from"], unique=False)

    op.create_table(
        "cessation",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("channel_reference", sa.String(), nullable=True),
        sa.Column("quantities", sa.JSON(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.CheckConstraint("CAST(position AS BIGINT) = position", name=op.f("ck_cessation_numbers_are_whole")),
        sa.CheckConstraint(
            "fault IN ('stock_feed', 'supplier', 'seller', 'buyer', 'marketplace')",
            name=op.f("ck_cessation_fault_is_a_known_word"),
        ),
        sa.CheckConstraint("kind IN ('cancelled', 'voided')", name=op.f("ck_cessation_kind_is_a_known_word")),
        sa.CheckConstraint("position > 0", name=op.f("ck_cessation_position_is_positive")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_cessation_order_id_orders")),
        sa.PrimaryKeyConstraint("order_id", "position", name=op.f("pk_cessation")),
    )
    op.create_table(
        "charge",
        sa.Column("charge_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("amount", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("captured", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("gateway_reference", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.CheckConstraint("CAST(position AS BIGINT) = position", name=op.f("ck_charge_numbers_are_whole")),
        sa.CheckConstraint(
            "CAST(captured AS NUMERIC) <= CAST(amount AS NUMERIC)",
            name=op.f("ck_charge_no_more_is_captured_than_asked"),
        ),
        sa.CheckConstraint(
            "state IN ('authorized', 'captured', 'voided', 'declined', 'expired', 'none')",
            name=op.f("ck_charge_state_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "CAST(amount AS NUMERIC) > 0 AND CAST(captured AS NUMERIC) >= 0",
            name=op.f("ck_charge_amounts_are_positive"),
        ),
        sa.CheckConstraint(plain("amount", "captured"), name=op.f("ck_charge_amounts_are_plain_numbers")),
        sa.CheckConstraint(code("currency"), name=op.f("ck_charge_currency_is_a_code")),
        sa.CheckConstraint(
            "CAST(captured AS NUMERIC) = 0 OR state = 'captured'",
            name=op.f("ck_charge_only_what_is_captured_is_counted"),
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_charge_position_is_positive")),
        sa.UniqueConstraint("order_id", "position", name="uq_charge_position"),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.connection_id"], name=op.f("fk_charge_connection_id_connection")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_charge_order_id_orders")),
        sa.PrimaryKeyConstraint("charge_id", name=op.f("pk_charge")),
        sa.UniqueConstraint("gateway_reference", name=op.f("uq_charge_gateway_reference")),
    )
    with op.batch_alter_table("charge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_charge_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_line",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("kit_line_id", sa.String(), nullable=True),
        sa.Column("kit_sku", sa.String(), nullable=True),
        sa.Column("kit_each", sa.Integer(), nullable=True),
        sa.Column("paid_goods", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("paid_shipping", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("cost_goods", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("cost_shipping", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("shipped", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("voided", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "CAST(position AS BIGINT) = position AND CAST(quantity AS BIGINT) = quantity AND CAST(kit_each AS BIGINT) = kit_each AND CAST(shipped AS BIGINT) = shipped AND CAST(cancelled AS BIGINT) = cancelled AND CAST(voided AS BIGINT) = voided AND CAST(moved AS BIGINT) = moved",
            name=op.f("ck_order_line_numbers_are_whole"),
        ),
        sa.CheckConstraint(
            "CAST(paid_goods AS NUMERIC) >= 0 AND CAST(paid_shipping AS NUMERIC) >= 0 AND "
            "CAST(cost_goods AS NUMERIC) >= 0 AND CAST(cost_shipping AS NUMERIC) >= 0",
            name=op.f("ck_order_line_amounts_are_not_negative"),
        ),
        sa.CheckConstraint("kit_each > 0", name=op.f("ck_order_line_kit_each_is_positive")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_line_quantity_is_positive")),
        sa.CheckConstraint(
            "shipped + cancelled + voided + moved <= quantity", name=op.f("ck_order_line_each_unit_has_one_fate")
        ),
        sa.CheckConstraint(
            "shipped >= 0 AND cancelled >= 0 AND voided >= 0 AND moved >= 0",
            name=op.f("ck_order_line_units_are_positive"),
        ),
        sa.CheckConstraint(
            plain("paid_goods", "paid_shipping", "cost_goods", "cost_shipping"),
            name=op.f("ck_order_line_amounts_are_plain_numbers"),
        ),
        sa.CheckConstraint(
            "(kit_line_id IS NULL) = (kit_sku IS NULL) AND (kit_line_id IS NULL) = (kit_each IS NULL)",
            name=op.f("ck_order_line_kit_line_id_is_whole"),
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_order_line_position_is_positive")),
        sa.UniqueConstraint("order_id", "position", name="uq_order_line_position"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_order_line_order_id_orders")),
        sa.PrimaryKeyConstraint("order_id", "line_id", name=op.f("pk_order_line")),
    )
    op.create_table(
        "payment",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("paid_by", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("amount", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=True),
        sa.Column("of_order_id", sa.String(), nullable=True),
        sa.Column("of_position", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "CAST(position AS BIGINT) = position AND CAST(of_position AS BIGINT) = of_position",
            name=op.f("ck_payment_numbers_are_whole"),
        ),
        sa.CheckConstraint(
            "(of_order_id IS NULL) = (of_position IS NULL)", name=op.f("ck_payment_of_order_id_is_whole")
        ),
        sa.CheckConstraint(
            "paid_by IN ('stripe', 'paypal', 'authorize_net', 'marketplace', 'bank_transfer', 'gift_card', "
            "'cash_on_delivery', 'other')",
            name=op.f("ck_payment_paid_by_is_a_known_word"),
        ),
        sa.CheckConstraint("CAST(amount AS NUMERIC) > 0", name=op.f("ck_payment_amount_is_positive")),
        sa.CheckConstraint(
            "reference IS NOT NULL OR NOT paid_by IN ('stripe', 'paypal', 'authorize_net')",
            name=op.f("ck_payment_a_gateway_has_a_number"),
        ),
        sa.CheckConstraint(plain("amount"), name=op.f("ck_payment_amounts_are_plain_numbers")),
        sa.CheckConstraint(code("currency"), name=op.f("ck_payment_currency_is_a_code")),
        sa.CheckConstraint("position > 0", name=op.f("ck_payment_position_is_positive")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.connection_id"], name=op.f("fk_payment_connection_id_connection")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_payment_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["of_order_id", "of_position"],
            ["payment.order_id", "payment.position"],
            name=op.f("fk_payment_of_order_id_payment"),
        ),
        sa.PrimaryKeyConstraint("order_id", "position", name=op.f("pk_payment")),
    )
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_of_order_id"), ["of_order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_reference"), ["reference"], unique=False)
        batch_op.create_index(
            "uq_payment_by_gateway",
            ["paid_by", "reference"],
            unique=True,
            sqlite_where=sa.text("paid_by IN ('stripe', 'paypal', 'authorize_net') AND of_order_id IS NULL"),
            postgresql_where=sa.text("paid_by IN ('stripe', 'paypal', 'authorize_net') AND of_order_id IS NULL"),
        )

    op.create_table(
        "shipment",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("shipment_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(), nullable=False),
        sa.Column("tracking_number", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("substitutes", sa.JSON(), nullable=True),
        sa.Column("corrected_by", sa.JSON(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("CAST(position AS BIGINT) = position", name=op.f("ck_shipment_numbers_are_whole")),
        sa.CheckConstraint("position > 0", name=op.f("ck_shipment_position_is_positive")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_shipment_order_id_orders")),
        sa.PrimaryKeyConstraint("order_id", "shipment_id", name=op.f("pk_shipment")),
    )
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_tracking_number"), ["tracking_number"], unique=False)

    op.create_table(
        "shipment_parcel",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("shipment_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(), nullable=False),
        sa.Column("tracking_number", sa.String(), nullable=False),
        sa.CheckConstraint(
            "CAST(position AS BIGINT) = position", name=op.f("ck_shipment_parcel_numbers_are_whole")
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_shipment_parcel_position_is_positive")),
        sa.ForeignKeyConstraint(
            ["order_id", "shipment_id"],
            ["shipment.order_id", "shipment.shipment_id"],
            name=op.f("fk_shipment_parcel_order_id_shipment"),
        ),
        sa.PrimaryKeyConstraint("order_id", "shipment_id", "position", name=op.f("pk_shipment_parcel")),
    )
    with op.batch_alter_table("shipment_parcel", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_parcel_tracking_number"), ["tracking_number"], unique=False)

    op.create_table(
        "supplier_order",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("supplier_id", sa.String(), nullable=False),
        sa.Column("warehouse_id", sa.String(), nullable=False),
        sa.Column("second_source", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("supplier_reference", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("short", sa.JSON(), nullable=True),
        sa.Column("short_reason", sa.String(), nullable=True),
        sa.Column("connection_id", sa.String(), nullable=True),
        sa.CheckConstraint(
            "CAST(position AS BIGINT) = position", name=op.f("ck_supplier_order_numbers_are_whole")
        ),
        sa.CheckConstraint(
            "state IN ('accepted', 'refused', 'unknown')", name=op.f("ck_supplier_order_state_is_a_known_word")
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_supplier_order_position_is_positive")),
        sa.CheckConstraint(
            "second_source IN (true, false)", name=op.f("ck_supplier_order_second_source_is_yes_or_no")
        ),
        sa.UniqueConstraint("number", "order_id", name="uq_supplier_order_of_order"),
        sa.UniqueConstraint("order_id", "position", name="uq_supplier_order_position"),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.connection_id"],
            name=op.f("fk_supplier_order_connection_id_connection"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_supplier_order_order_id_orders")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_supplier_order")),
    )
    with op.batch_alter_table("supplier_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_supplier_order_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_supplier_order_supplier_id"), ["supplier_id"], unique=False)

    op.create_table(
        "returns",
        sa.Column("return_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.Column("supplier_id", sa.String(), nullable=False),
        sa.Column("supplier_order_number", sa.String(), nullable=False),
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("split_from", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amazon_rma_id", sa.String(), nullable=True),
        sa.Column("ebay_return_id", sa.String(), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("fees", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=True),
        sa.Column("returnless", sa.Boolean(), nullable=False),
        sa.Column("loss", sa.String(), nullable=True),
        sa.Column("label_url", sa.String(), nullable=True),
        sa.Column("label_paid_by", sa.String(), nullable=True),
        sa.Column("broker_return_number", sa.String(), nullable=True),
        sa.Column("rma_number", sa.String(), nullable=True),
        sa.Column("return_address", sa.String(), nullable=True),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.Column("tracking_number", sa.String(), nullable=True),
        sa.Column("refund_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.Column("replacement_order", sa.String(), nullable=True),
        sa.Column("refunded_by_channel", sa.Boolean(), nullable=False),
        sa.Column("refund_declined", sa.String(), nullable=True),
        sa.Column("refund_declined_reason", sa.String(), nullable=True),
        sa.Column("refund_declined_by", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("opened", sa.JSON(), nullable=True),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "decision IN ('approved', 'rejected')", name=op.f("ck_returns_decision_is_a_known_word")
        ),
        sa.CheckConstraint("CAST(fees AS NUMERIC) >= 0", name=op.f("ck_returns_fees_is_not_negative")),
        sa.CheckConstraint(
            "label_paid_by IN ('buyer', 'seller')", name=op.f("ck_returns_label_paid_by_is_a_known_word")
        ),
        sa.CheckConstraint(
            "loss IN ('never_arrived', 'arrived_damaged')", name=op.f("ck_returns_loss_is_a_known_word")
        ),
        sa.CheckConstraint(
            "outcome IN ('opening', 'awaiting_approval', 'awaiting_rma', 'rma_refused', "
            "'awaiting_tracking', 'expired', 'in_transit', 'awaiting_credit', 'refunding_seller', "
            "'awaiting_buyer_refund', 'refunding_buyer', 'replacing', 'completed', 'rejected', 'withdrawn', "
            "'refused_by_supplier', 'refused', 'stopped', 'terminated')",
            name=op.f("ck_returns_outcome_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "refund_declined IN ('declined', 'replaced', 'repaired', 'refunded_elsewhere')",
            name=op.f("ck_returns_refund_declined_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "source IN ('seller', 'buyer', 'ebay_return', 'ebay_case', 'amazon_report', 'manual', 'late_cancel')",
            name=op.f("ck_returns_source_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "resolution IN ('refund', 'replacement')", name=op.f("ck_returns_resolution_is_a_known_word")
        ),
        sa.CheckConstraint(plain("fees"), name=op.f("ck_returns_amounts_are_plain_numbers")),
        sa.CheckConstraint("(decision IS NULL) = (decided_by IS NULL)", name=op.f("ck_returns_decision_is_whole")),
        sa.CheckConstraint(
            "run_id IS NOT NULL OR split_from IS NOT NULL", name=op.f("ck_returns_only_a_sibling_opens_later")
        ),
        sa.CheckConstraint(
            "(refund_declined IS NULL) = (refund_declined_reason IS NULL) AND (refund_declined IS NULL) = (refund_declined_by IS NULL)",
            name=op.f("ck_returns_refund_declined_is_whole"),
        ),
        sa.CheckConstraint(
            "refunded_by_channel IN (true, false)", name=op.f("ck_returns_refunded_by_channel_is_yes_or_no")
        ),
        sa.CheckConstraint("returnless IN (true, false)", name=op.f("ck_returns_returnless_is_yes_or_no")),
        sa.CheckConstraint("split_from <> return_id", name=op.f("ck_returns_split_from_is_another")),
        sa.UniqueConstraint("return_id", "order_id", name="uq_returns_of_order"),
        sa.ForeignKeyConstraint(
            ["order_id", "seller_id"],
            ["orders.order_id", "orders.seller_id"],
            name=op.f("fk_returns_order_id_orders"),
        ),
        sa.ForeignKeyConstraint(["split_from"], ["returns.return_id"], name=op.f("fk_returns_split_from_returns")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.supplier_id"], name=op.f("fk_returns_supplier_id_supplier")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_order_number", "order_id"],
            ["supplier_order.number", "supplier_order.order_id"],
            name=op.f("fk_returns_supplier_order_number_supplier_order"),
        ),
        sa.PrimaryKeyConstraint("return_id", name=op.f("pk_returns")),
        sa.UniqueConstraint("workflow_id", name=op.f("uq_returns_workflow_id")),
    )
    with op.batch_alter_table("returns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_returns_amazon_rma_id"), ["amazon_rma_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_returns_broker_return_number"), ["broker_return_number"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_returns_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_ebay_return_id"), ["ebay_return_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_refund_due"), ["refund_due"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_rma_number"), ["rma_number"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_seller_id"), ["seller_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_split_from"), ["split_from"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_supplier_id"), ["supplier_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_tracking_number"), ["tracking_number"], unique=False)

    op.create_table(
        "return_line",
        sa.Column("return_id", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("buyer_words", sa.String(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("paid", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("cost", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.CheckConstraint(
            "CAST(position AS BIGINT) = position AND CAST(quantity AS BIGINT) = quantity",
            name=op.f("ck_return_line_numbers_are_whole"),
        ),
        sa.CheckConstraint(
            "CAST(paid AS NUMERIC) >= 0 AND CAST(cost AS NUMERIC) >= 0",
            name=op.f("ck_return_line_amounts_are_not_negative"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_line_quantity_is_positive")),
        sa.CheckConstraint(plain("paid", "cost"), name=op.f("ck_return_line_amounts_are_plain_numbers")),
        sa.CheckConstraint("position > 0", name=op.f("ck_return_line_position_is_positive")),
        sa.UniqueConstraint("return_id", "position", name="uq_return_line_position"),
        sa.ForeignKeyConstraint(
            ["return_id"], ["returns.return_id"], name=op.f("fk_return_line_return_id_returns")
        ),
        sa.PrimaryKeyConstraint("return_id", "line_id", name=op.f("pk_return_line")),
    )
    op.create_table(
        "shipment_line",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("shipment_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("supplier_order_number", sa.String(), nullable=True),
        sa.CheckConstraint(
            "CAST(position AS BIGINT) = position AND CAST(quantity AS BIGINT) = quantity",
            name=op.f("ck_shipment_line_numbers_are_whole"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_shipment_line_quantity_is_positive")),
        sa.CheckConstraint("position > 0", name=op.f("ck_shipment_line_position_is_positive")),
        sa.ForeignKeyConstraint(
            ["order_id", "line_id"],
            ["order_line.order_id", "order_line.line_id"],
            name=op.f("fk_shipment_line_order_id_order_line"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "shipment_id"],
            ["shipment.order_id", "shipment.shipment_id"],
            name=op.f("fk_shipment_line_order_id_shipment"),
        ),
        sa.ForeignKeyConstraint(
            ["supplier_order_number", "order_id"],
            ["supplier_order.number", "supplier_order.order_id"],
            name=op.f("fk_shipment_line_supplier_order_number_supplier_order"),
        ),
        sa.PrimaryKeyConstraint("order_id", "shipment_id", "position", name=op.f("pk_shipment_line")),
    )
    op.create_table(
        "supplier_order_line",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_cost", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.CheckConstraint(
            "CAST(quantity AS BIGINT) = quantity", name=op.f("ck_supplier_order_line_numbers_are_whole")
        ),
        sa.CheckConstraint(
            "CAST(unit_cost AS NUMERIC) >= 0", name=op.f("ck_supplier_order_line_unit_cost_is_not_negative")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_supplier_order_line_quantity_is_positive")),
        sa.CheckConstraint(plain("unit_cost"), name=op.f("ck_supplier_order_line_amounts_are_plain_numbers")),
        sa.ForeignKeyConstraint(
            ["number"], ["supplier_order.number"], name=op.f("fk_supplier_order_line_number_supplier_order")
        ),
        sa.PrimaryKeyConstraint("number", "line_id", name=op.f("pk_supplier_order_line")),
    )
    op.create_table(
        "credit_memo",
        sa.Column("supplier_id", sa.String(), nullable=False),
        sa.Column("number_folded", sa.String(), nullable=False),
        sa.Column("return_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("amount", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("CAST(amount AS NUMERIC) > 0", name=op.f("ck_credit_memo_amount_is_positive")),
        sa.CheckConstraint(
            "total IS NULL OR CAST(total AS NUMERIC) >= CAST(amount AS NUMERIC)",
            name=op.f("ck_credit_memo_part_is_within_its_paper"),
        ),
        sa.CheckConstraint(plain("amount", "total"), name=op.f("ck_credit_memo_amounts_are_plain_numbers")),
        sa.CheckConstraint(code("currency"), name=op.f("ck_credit_memo_currency_is_a_code")),
        sa.CheckConstraint("final IN (true, false)", name=op.f("ck_credit_memo_final_is_yes_or_no")),
        sa.ForeignKeyConstraint(
            ["return_id"], ["returns.return_id"], name=op.f("fk_credit_memo_return_id_returns")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.supplier_id"], name=op.f("fk_credit_memo_supplier_id_supplier")
        ),
        sa.PrimaryKeyConstraint("supplier_id", "number_folded", "return_id", name=op.f("pk_credit_memo")),
    )
    with op.batch_alter_table("credit_memo", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credit_memo_return_id"), ["return_id"], unique=False)

    op.create_table(
        "reception",
        sa.Column("return_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reception", sa.String(), nullable=False),
        sa.Column("acceptance", sa.String(), nullable=False),
        sa.CheckConstraint(
            "CAST(position AS BIGINT) = position AND CAST(quantity AS BIGINT) = quantity",
            name=op.f("ck_reception_numbers_are_whole"),
        ),
        sa.CheckConstraint(
            "acceptance IN ('accepted', 'rejected', 'manual')",
            name=op.f("ck_reception_acceptance_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "reception IN ('received', 'short', 'wrong_item', 'lost', 'refused')",
            name=op.f("ck_reception_reception_is_a_known_word"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reception_quantity_is_positive")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_reception_position_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["return_id", "line_id"],
            ["return_line.return_id", "return_line.line_id"],
            name=op.f("fk_reception_return_id_return_line"),
        ),
        sa.ForeignKeyConstraint(["return_id"], ["returns.return_id"], name=op.f("fk_reception_return_id_returns")),
        sa.PrimaryKeyConstraint("return_id", "event_id", "position", name=op.f("pk_reception")),
    )
    op.create_table(
        "return_parcel",
        sa.Column("return_id", sa.String(), nullable=False),
        sa.Column("number_folded", sa.String(), nullable=False),
        sa.Column("carrier", sa.String(), nullable=False),
        sa.Column("tracking_number", sa.String(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["return_id"], ["returns.return_id"], name=op.f("fk_return_parcel_return_id_returns")
        ),
        sa.PrimaryKeyConstraint("return_id", "number_folded", name=op.f("pk_return_parcel")),
    )
    op.create_table(
        "refund",
        sa.Column("refund_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("return_id", sa.String(), nullable=True),
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.Column("part_of", sa.String(), nullable=True),
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("amount", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("over_refund", sa.Boolean(), nullable=False),
        sa.Column("over_limit", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=True),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payment_reference", sa.String(), nullable=True),
        sa.Column("connection_id", sa.String(), nullable=True),
        sa.Column("gateway_refund_id", sa.String(), nullable=True),
        sa.Column("failure_reason", sa.String(), nullable=True),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "direction IN ('seller_to_buyer', 'broker_to_seller')",
            name=op.f("ck_refund_direction_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "state IN ('reserved', 'pending', 'succeeded', 'failed', 'refused')",
            name=op.f("ck_refund_state_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "way IN ('gateway', 'marketplace', 'manual')", name=op.f("ck_refund_way_is_a_known_word")
        ),
        sa.CheckConstraint("CAST(amount AS NUMERIC) > 0", name=op.f("ck_refund_amount_is_positive")),
        sa.CheckConstraint("CAST(over_limit AS NUMERIC) > 0", name=op.f("ck_refund_over_limit_is_positive")),
        sa.CheckConstraint(
            "(confirmed_by IS NULL) = (confirmed_at IS NULL)", name=op.f("ck_refund_confirmed_by_is_whole")
        ),
        sa.CheckConstraint("confirmed_by <> requested_by", name=op.f("ck_refund_another_person_confirms")),
        sa.CheckConstraint(
            "over_limit IS NULL OR confirmed_by IS NOT NULL OR state IN ('reserved', 'failed', 'refused')",
            name=op.f("ck_refund_over_limit_is_confirmed"),
        ),
        sa.CheckConstraint(plain("amount", "over_limit"), name=op.f("ck_refund_amounts_are_plain_numbers")),
        sa.CheckConstraint(code("currency"), name=op.f("ck_refund_currency_is_a_code")),
        sa.CheckConstraint("over_refund IN (true, false)", name=op.f("ck_refund_over_refund_is_yes_or_no")),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (state IN ('reserved', 'pending'))", name=op.f("ck_refund_settled_is_dated")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.connection_id"], name=op.f("fk_refund_connection_id_connection")
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "seller_id"],
            ["orders.order_id", "orders.seller_id"],
            name=op.f("fk_refund_order_id_orders"),
        ),
        sa.ForeignKeyConstraint(
            ["return_id", "order_id"],
            ["returns.return_id", "returns.order_id"],
            name=op.f("fk_refund_return_id_returns"),
        ),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_refund")),
        sa.UniqueConstraint("workflow_id", name=op.f("uq_refund_workflow_id")),
    )
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refund_gateway_refund_id"), ["gateway_refund_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_return_id"), ["return_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_seller_id"), ["seller_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_state"), ["state"], unique=False)
        batch_op.create_index("uq_refund_by_gateway", ["connection_id", "gateway_refund_id"], unique=True)

    op.create_table(
        "cost_review",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("return_id", sa.String(), nullable=True),
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.Column("amount", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("approved", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=True),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'approved', 'rejected', 'withdrawn', 'stopped')",
            name=op.f("ck_cost_review_state_is_a_known_word"),
        ),
        sa.CheckConstraint("CAST(amount AS NUMERIC) > 0", name=op.f("ck_cost_review_amount_is_positive")),
        sa.CheckConstraint("CAST(approved AS NUMERIC) > 0", name=op.f("ck_cost_review_approved_is_positive")),
        sa.CheckConstraint(plain("amount", "approved"), name=op.f("ck_cost_review_amounts_are_plain_numbers")),
        sa.CheckConstraint(code("currency"), name=op.f("ck_cost_review_currency_is_a_code")),
        sa.CheckConstraint(
            "(approved IS NOT NULL) = (state = 'approved')", name=op.f("ck_cost_review_approved_is_whole")
        ),
        sa.CheckConstraint(
            "CAST(approved AS NUMERIC) <= CAST(amount AS NUMERIC)",
            name=op.f("ck_cost_review_approved_is_within_amount"),
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (state = 'open')", name=op.f("ck_cost_review_settled_is_dated")
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "seller_id"],
            ["orders.order_id", "orders.seller_id"],
            name=op.f("fk_cost_review_order_id_orders"),
        ),
        sa.ForeignKeyConstraint(
            ["return_id", "order_id"],
            ["returns.return_id", "returns.order_id"],
            name=op.f("fk_cost_review_return_id_returns"),
        ),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_cost_review")),
        sa.UniqueConstraint("workflow_id", name=op.f("uq_cost_review_workflow_id")),
    )
    with op.batch_alter_table("cost_review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cost_review_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cost_review_return_id"), ["return_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cost_review_seller_id"), ["seller_id"], unique=False)

    op.create_table(
        "claim",
        sa.Column("claim_id", sa.String(), nullable=False),
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("amount", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("approved", sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=True),
        sa.Column("dealer", sa.String(), nullable=False),
        sa.Column("notes", sa.String(), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("receipts", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'approved', 'rejected', 'withdrawn', 'stopped')",
            name=op.f("ck_claim_state_is_a_known_word"),
        ),
        sa.CheckConstraint("CAST(amount AS NUMERIC) > 0", name=op.f("ck_claim_amount_is_positive")),
        sa.CheckConstraint("CAST(approved AS NUMERIC) > 0", name=op.f("ck_claim_approved_is_positive")),
        sa.CheckConstraint(plain("amount", "approved"), name=op.f("ck_claim_amounts_are_plain_numbers")),
        sa.CheckConstraint(code("currency"), name=op.f("ck_claim_currency_is_a_code")),
        sa.CheckConstraint(
            "(approved IS NOT NULL) = (state = 'approved')", name=op.f("ck_claim_approved_is_whole")
        ),
        sa.CheckConstraint(
            "CAST(approved AS NUMERIC) <= CAST(amount AS NUMERIC)",
            name=op.f("ck_claim_approved_is_within_amount"),
        ),
        sa.CheckConstraint("(settled_at IS NULL) = (state = 'open')", name=op.f("ck_claim_settled_is_dated")),
        sa.ForeignKeyConstraint(
            ["order_id", "seller_id"],
            ["orders.order_id", "orders.seller_id"],
            name=op.f("fk_claim_order_id_orders"),
        ),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_claim")),
        sa.UniqueConstraint("workflow_id", name=op.f("uq_claim_workflow_id")),
    )
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claim_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_claim_seller_id"), ["seller_id"], unique=False)

    op.create_table(
        "return_units",
        sa.Column("return_id", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("supplier_order_number", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("CAST(quantity AS BIGINT) = quantity", name=op.f("ck_return_units_numbers_are_whole")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_units_quantity_is_positive")),
        sa.ForeignKeyConstraint(
            ["return_id", "line_id"],
            ["return_line.return_id", "return_line.line_id"],
            name=op.f("fk_return_units_return_id_return_line"),
        ),
        sa.ForeignKeyConstraint(
            ["return_id"], ["returns.return_id"], name=op.f("fk_return_units_return_id_returns")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_order_number"],
            ["supplier_order.number"],
            name=op.f("fk_return_units_supplier_order_number_supplier_order"),
        ),
        sa.PrimaryKeyConstraint("return_id", "line_id", "supplier_order_number", name=op.f("pk_return_units")),
    )
    with op.batch_alter_table("return_units", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_return_units_supplier_order_number"), ["supplier_order_number"], unique=False
        )
    op.create_table(
        "refund_units",
        sa.Column("refund_id", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("CAST(quantity AS BIGINT) = quantity", name=op.f("ck_refund_units_numbers_are_whole")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_refund_units_quantity_is_positive")),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refund.refund_id"], name=op.f("fk_refund_units_refund_id_refund")
        ),
        sa.PrimaryKeyConstraint("refund_id", "line_id", name=op.f("pk_refund_units")),
    )
    op.create_table(
        "amazon_batch",
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("feed_id", sa.String(), nullable=True),
        sa.Column("words", sa.String(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "CAST(number AS BIGINT) = number AND CAST(messages AS BIGINT) = messages AND CAST(tries AS BIGINT) = tries",
            name=op.f("ck_amazon_batch_numbers_are_whole"),
        ),
        sa.CheckConstraint(
            "kind IN ('refund', 'cancellation')", name=op.f("ck_amazon_batch_kind_is_a_known_word")
        ),
        sa.CheckConstraint(
            "state IN ('composed', 'handing_in', 'sent', 'ended')",
            name=op.f("ck_amazon_batch_state_is_a_known_word"),
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_amazon_batch_number_is_positive")),
        sa.CheckConstraint("messages > 0", name=op.f("ck_amazon_batch_messages_is_positive")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_amazon_batch_tries_is_not_negative")),
        sa.CheckConstraint("(ended_at IS NULL) = (state <> 'ended')", name=op.f("ck_amazon_batch_ended_is_dated")),
        sa.CheckConstraint(
            "state <> 'handing_in' OR handed_in_at IS NOT NULL", name=op.f("ck_amazon_batch_handed_in_is_dated")
        ),
        sa.CheckConstraint(
            "state <> 'sent' OR feed_id IS NOT NULL", name=op.f("ck_amazon_batch_sent_has_its_feed")
        ),
        sa.CheckConstraint(
            "feed_id IS NULL OR document_id IS NOT NULL", name=op.f("ck_amazon_batch_feed_has_its_document")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.connection_id"],
            name=op.f("fk_amazon_batch_connection_id_connection"),
        ),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_amazon_batch")),
        sa.UniqueConstraint("workflow_id", name=op.f("uq_amazon_batch_workflow_id")),
        sa.UniqueConstraint("connection_id", "kind", "number", name="uq_amazon_batch_number"),
        sa.UniqueConstraint("connection_id", "feed_id", name="uq_amazon_batch_feed"),
    )
    with op.batch_alter_table("amazon_batch", schema=None) as batch_op:
        batch_op.create_index(
            "uq_amazon_batch_under_way",
            ["connection_id", "kind"],
            unique=True,
            sqlite_where=sa.text("state <> 'ended'"),
            postgresql_where=sa.text("state <> 'ended'"),
        )

    op.create_table(
        "amazon_queue",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("refund_id", sa.String(), nullable=True),
        sa.Column("cancelled_for", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=True),
        sa.Column("told_before", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("examined_by", sa.String(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "CAST(message_id AS BIGINT) = message_id", name=op.f("ck_amazon_queue_numbers_are_whole")
        ),
        sa.CheckConstraint(
            "kind IN ('refund', 'cancellation')", name=op.f("ck_amazon_queue_kind_is_a_known_word")
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'batched', 'sent', 'done', 'refused', 'rejected', 'in_doubt')",
            name=op.f("ck_amazon_queue_state_is_a_known_word"),
        ),
        sa.CheckConstraint("message_id > 0", name=op.f("ck_amazon_queue_message_id_is_positive")),
        sa.CheckConstraint("chosen IN (true, false)", name=op.f("ck_amazon_queue_chosen_is_yes_or_no")),
        sa.CheckConstraint("told_before IN (true, false)", name=op.f("ck_amazon_queue_told_before_is_yes_or_no")),
        sa.CheckConstraint(
            "(kind = 'refund') = (refund_id IS NOT NULL)", name=op.f("ck_amazon_queue_refund_is_named")
        ),
        sa.CheckConstraint(
            "(kind = 'cancellation') = (cancelled_for IS NOT NULL)",
            name=op.f("ck_amazon_queue_cancellation_has_its_reason"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('refused', 'rejected', 'in_doubt') OR reason IS NOT NULL",
            name=op.f("ck_amazon_queue_reason_is_told"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('batched', 'sent', 'done', 'in_doubt') OR (batch_id IS NOT NULL AND content IS NOT NULL)",
            name=op.f("ck_amazon_queue_what_is_sent_has_its_batch"),
        ),
        sa.CheckConstraint(
            "(batch_id IS NULL) = (message_id IS NULL)", name=op.f("ck_amazon_queue_batch_id_is_whole")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["amazon_batch.batch_id"], name=op.f("fk_amazon_queue_batch_id_amazon_batch")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.connection_id"],
            name=op.f("fk_amazon_queue_connection_id_connection"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "seller_id"],
            ["orders.order_id", "orders.seller_id"],
            name=op.f("fk_amazon_queue_order_id_orders"),
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refund.refund_id"], name=op.f("fk_amazon_queue_refund_id_refund")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_amazon_queue")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_amazon_queue_refund_id")),
        sa.UniqueConstraint("batch_id", "message_id", name="uq_amazon_queue_message"),
    )
    with op.batch_alter_table("amazon_queue", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_amazon_queue_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_amazon_queue_seller_id"), ["seller_id"], unique=False)
        batch_op.create_index(
            "ix_amazon_queue_waiting", ["connection_id", "kind", "state", "queued_at"], unique=False
        )

    op.create_table(
        "settlement",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("settlement_id", sa.String(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("came", sa.BigInteger(), nullable=False),
        sa.Column("amounts", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("booked_to", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "CAST(total AS BIGINT) = total AND CAST(came AS BIGINT) = came AND CAST(amounts AS BIGINT) = amounts AND CAST(rejected AS BIGINT) = rejected AND CAST(booked_to AS BIGINT) = booked_to",
            name=op.f("ck_settlement_numbers_are_whole"),
        ),
        sa.CheckConstraint(code("currency"), name=op.f("ck_settlement_currency_is_a_code")),
        sa.CheckConstraint(
            "state <> 'booked' OR booked_to = amounts", name=op.f("ck_settlement_booked_is_booked_whole")
        ),
        sa.CheckConstraint(
            "state IN ('held', 'booking', 'booked')", name=op.f("ck_settlement_state_is_a_known_word")
        ),
        sa.CheckConstraint("amounts >= 0", name=op.f("ck_settlement_amounts_is_not_negative")),
        sa.CheckConstraint(
            "booked_to BETWEEN 0 AND amounts", name=op.f("ck_settlement_no_more_is_booked_than_there_is")
        ),
        sa.CheckConstraint("rejected >= 0", name=op.f("ck_settlement_rejected_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.connection_id"], name=op.f("fk_settlement_connection_id_connection")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["report_import.import_id"], name=op.f("fk_settlement_import_id_report_import")
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.seller_id"], name=op.f("fk_settlement_seller_id_seller")),
        sa.PrimaryKeyConstraint("connection_id", "settlement_id", name=op.f("pk_settlement")),
        sa.UniqueConstraint("import_id", name=op.f("uq_settlement_import_id")),
    )
    with op.batch_alter_table("settlement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_settlement_settlement_id"), ["settlement_id"], unique=False)

    op.create_table(
        "settlement_amount",
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("transaction_type", sa.String(), nullable=False),
        sa.Column("amount_type", sa.String(), nullable=False),
        sa.Column("amount_description", sa.String(), nullable=False),
        sa.Column("order_item_code", sa.String(), nullable=False),
        sa.Column("adjustment_key", sa.String(), nullable=False),
        sa.Column("adjustment_id", sa.String(), nullable=False),
        sa.CheckConstraint(
            "CAST(position AS BIGINT) = position AND CAST(line AS BIGINT) = line AND CAST(units AS BIGINT) = units",
            name=op.f("ck_settlement_amount_numbers_are_whole"),
        ),
        sa.CheckConstraint(
            "component IN ('sold', 'refunded', 'commission', 'commission_returned', 'administration_fee', 'fee', 'tax_withheld', 'reserve', 'unknown')",
            name=op.f("ck_settlement_amount_component_is_a_known_word"),
        ),
        sa.CheckConstraint("line > 0", name=op.f("ck_settlement_amount_line_is_positive")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_settlement_amount_position_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["report_import.import_id"], name=op.f("fk_settlement_amount_import_id_report_import")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_settlement_amount_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_settlement_amount")),
    )
    with op.batch_alter_table("settlement_amount", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_settlement_amount_order_id"), ["order_id"], unique=False)

    op.create_table(
        "settled_refund",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("settlement_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("transaction_type", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("order_item_code", sa.String(), nullable=False),
        sa.Column("adjustment_key", sa.String(), nullable=False),
        sa.Column("came", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=True),
        sa.Column("refund_id", sa.String(), nullable=True),
        sa.Column("return_id", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("set_aside", sa.Boolean(), nullable=False),
        sa.CheckConstraint("set_aside IN (true, false)", name=op.f("ck_settled_refund_set_aside_is_yes_or_no")),
        sa.CheckConstraint(
            "CAST(position AS BIGINT) = position AND CAST(came AS BIGINT) = came AND CAST(expected AS BIGINT) = expected",
            name=op.f("ck_settled_refund_numbers_are_whole"),
        ),
        sa.CheckConstraint(
            "(refund_id IS NULL) = (verdict = 'unexpected')",
            name=op.f("ck_settled_refund_what_is_expected_is_ours"),
        ),
        sa.CheckConstraint(
            "verdict IN ('confirmed', 'differs', 'unexpected', 'moved_though_failed')",
            name=op.f("ck_settled_refund_verdict_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "(refund_id IS NULL) = (expected IS NULL)", name=op.f("ck_settled_refund_refund_has_its_amount")
        ),
        sa.CheckConstraint("position >= 0", name=op.f("ck_settled_refund_position_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["connection_id", "settlement_id"],
            ["settlement.connection_id", "settlement.settlement_id"],
            name="fk_settled_refund_settlement",
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_settled_refund_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refund.refund_id"], name=op.f("fk_settled_refund_refund_id_refund")
        ),
        sa.PrimaryKeyConstraint("connection_id", "settlement_id", "position", name=op.f("pk_settled_refund")),
    )
    with op.batch_alter_table("settled_refund", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_settled_refund_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_settled_refund_refund_id"), ["refund_id"], unique=False)

    op.create_table(
        "ledger_line",
        sa.Column("movement", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("debit", sa.String(), nullable=False),
        sa.Column("credit", sa.String(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "CAST(position AS BIGINT) = position AND CAST(units AS BIGINT) = units",
            name=op.f("ck_ledger_line_numbers_are_whole"),
        ),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_ledger_line_accounts_differ")),
        sa.CheckConstraint(
            "credit LIKE 'seller/_%/available' OR credit LIKE 'seller/_%/reserved' OR credit LIKE 'seller/_%/pending' OR credit LIKE 'supplier/_%/receivable' OR credit LIKE 'marketplace/_%/clearing' OR credit LIKE 'marketplace/_%/deposited' OR credit LIKE 'marketplace/_%/reserve' OR credit LIKE 'marketplace/_%/suspense' OR credit LIKE 'buyers/payments' OR credit LIKE 'buyers/refunds' OR credit LIKE 'broker/revenue' OR credit LIKE 'broker/expense'",
            name=op.f("ck_ledger_line_credit_is_an_account"),
        ),
        sa.CheckConstraint(code("currency"), name=op.f("ck_ledger_line_currency_is_a_code")),
        sa.CheckConstraint(
            "debit LIKE 'seller/_%/available' OR debit LIKE 'seller/_%/reserved' OR debit LIKE 'seller/_%/pending' OR debit LIKE 'supplier/_%/receivable' OR debit LIKE 'marketplace/_%/clearing' OR debit LIKE 'marketplace/_%/deposited' OR debit LIKE 'marketplace/_%/reserve' OR debit LIKE 'marketplace/_%/suspense' OR debit LIKE 'buyers/payments' OR debit LIKE 'buyers/refunds' OR debit LIKE 'broker/revenue' OR debit LIKE 'broker/expense'",
            name=op.f("ck_ledger_line_debit_is_an_account"),
        ),
        sa.CheckConstraint(
            "kind IN ('paid', 'authorized', 'captured', 'voided', 'reserved', 'released', 'refunded', 'taken_back', 'credited', 'sold', 'given_back', 'commission', 'commission_returned', 'administration_fee', 'fee', 'tax_withheld', 'reserve', 'unknown', 'out_of_balance')",
            name=op.f("ck_ledger_line_kind_is_a_known_word"),
        ),
        sa.CheckConstraint(
            "(movement LIKE 'payment/%' AND kind IN ('paid')) OR (movement LIKE 'charge/%' AND kind IN ('authorized', 'captured', 'voided')) OR (movement LIKE 'refund/%' AND kind IN ('reserved', 'released', 'refunded', 'taken_back')) OR (movement LIKE 'credit_memo/%' AND kind IN ('credited')) OR (movement LIKE 'cost_review/%' AND kind IN ('credited')) OR (movement LIKE 'claim/%' AND kind IN ('credited')) OR (movement LIKE 'settlement/%' AND kind IN ('sold', 'given_back', 'commission', 'commission_returned', 'administration_fee', 'fee', 'tax_withheld', 'reserve', 'unknown', 'out_of_balance'))",
            name=op.f("ck_ledger_line_kind_is_one_of_its_movement"),
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_ledger_line_position_is_positive")),
        sa.CheckConstraint("units > 0", name=op.f("ck_ledger_line_units_is_positive")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_ledger_line_order_id_orders")),
        sa.PrimaryKeyConstraint("movement", "kind", "position", name=op.f("pk_ledger_line")),
    )
    with op.batch_alter_table("ledger_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_line_credit"), ["credit"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_line_debit"), ["debit"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_line_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "ix_ledger_line_sums", ["kind", "debit", "credit", "currency", "at", "units"], unique=False
        )

    for trigger in _triggers():
        for statement in trigger.create(op.get_bind().dialect.name):
            op.execute(statement)


def _triggers() -> list[Trigger | Kept]:
    look = sa.inspect(op.get_bind())
    return triggers({table: tuple(one["name"] for one in look.get_columns(table)) for table in MAY_CHANGE})


def downgrade() -> None:
    for trigger in _triggers():
        for statement in trigger.drop(op.get_bind().dialect.name):
            op.execute(statement)

    with op.batch_alter_table("ledger_line", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_line_sums")
        batch_op.drop_index(batch_op.f("ix_ledger_line_order_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_line_debit"))
        batch_op.drop_index(batch_op.f("ix_ledger_line_credit"))

    op.drop_table("ledger_line")
    with op.batch_alter_table("settled_refund", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_settled_refund_refund_id"))
        batch_op.drop_index(batch_op.f("ix_settled_refund_order_id"))

    op.drop_table("settled_refund")
    with op.batch_alter_table("settlement_amount", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_settlement_amount_order_id"))

    op.drop_table("settlement_amount")
    with op.batch_alter_table("settlement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_settlement_settlement_id"))

    op.drop_table("settlement")
    with op.batch_alter_table("amazon_queue", schema=None) as batch_op:
        batch_op.drop_index("ix_amazon_queue_waiting")
        batch_op.drop_index(batch_op.f("ix_amazon_queue_seller_id"))
        batch_op.drop_index(batch_op.f("ix_amazon_queue_order_id"))

    op.drop_table("amazon_queue")
    with op.batch_alter_table("amazon_batch", schema=None) as batch_op:
        batch_op.drop_index("uq_amazon_batch_under_way")

    op.drop_table("amazon_batch")
    op.drop_table("refund_units")
    with op.batch_alter_table("return_units", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_return_units_supplier_order_number"))

    op.drop_table("return_units")
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_claim_seller_id"))
        batch_op.drop_index(batch_op.f("ix_claim_order_id"))

    op.drop_table("claim")
    with op.batch_alter_table("cost_review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cost_review_seller_id"))
        batch_op.drop_index(batch_op.f("ix_cost_review_return_id"))
        batch_op.drop_index(batch_op.f("ix_cost_review_order_id"))

    op.drop_table("cost_review")
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.drop_index("uq_refund_by_gateway")
        batch_op.drop_index(batch_op.f("ix_refund_state"))
        batch_op.drop_index(batch_op.f("ix_refund_seller_id"))
        batch_op.drop_index(batch_op.f("ix_refund_return_id"))
        batch_op.drop_index(batch_op.f("ix_refund_order_id"))
        batch_op.drop_index(batch_op.f("ix_refund_gateway_refund_id"))

    op.drop_table("refund")
    op.drop_table("return_parcel")
    op.drop_table("reception")
    with op.batch_alter_table("credit_memo", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credit_memo_return_id"))

    op.drop_table("credit_memo")
    op.drop_table("supplier_order_line")
    op.drop_table("shipment_line")
    op.drop_table("return_line")
    with op.batch_alter_table("shipment_parcel", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shipment_parcel_tracking_number"))

    op.drop_table("shipment_parcel")
    with op.batch_alter_table("returns", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_returns_tracking_number"))
        batch_op.drop_index(batch_op.f("ix_returns_supplier_id"))
        batch_op.drop_index(batch_op.f("ix_returns_split_from"))
        batch_op.drop_index(batch_op.f("ix_returns_seller_id"))
        batch_op.drop_index(batch_op.f("ix_returns_rma_number"))
        batch_op.drop_index(batch_op.f("ix_returns_refund_due"))
        batch_op.drop_index(batch_op.f("ix_returns_order_id"))
        batch_op.drop_index(batch_op.f("ix_returns_ebay_return_id"))
        batch_op.drop_index(batch_op.f("ix_returns_created_at"))
        batch_op.drop_index(batch_op.f("ix_returns_broker_return_number"))
        batch_op.drop_index(batch_op.f("ix_returns_amazon_rma_id"))

    op.drop_table("returns")
    with op.batch_alter_table("supplier_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_supplier_order_supplier_id"))
        batch_op.drop_index(batch_op.f("ix_supplier_order_order_id"))

    op.drop_table("supplier_order")
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shipment_tracking_number"))

    op.drop_table("shipment")
    op.drop_table("order_line")
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_index("uq_payment_by_gateway")
        batch_op.drop_index(batch_op.f("ix_payment_reference"))

    op.drop_table("payment")
    with op.batch_alter_table("charge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_charge_order_id"))

    op.drop_table("charge")
    op.drop_table("cessation")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_seller_id"))
        batch_op.drop_index(batch_op.f("ix_orders_received_at"))
        batch_op.drop_index(batch_op.f("ix_orders_handoff_due"))
        batch_op.drop_index(batch_op.f("ix_orders_channel_order_id"))

    op.drop_table("orders")
    op.drop_table("supplier")
    op.drop_table("seller")
    op.drop_table("webhook_refusal")
    op.drop_table("call_rate")
    op.drop_table("rejected_row")
    op.drop_table("reported_case")
    op.drop_table("report_import")
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.drop_index("ix_webhook_received")

    op.drop_table("webhook")
    with op.batch_alter_table("connection", schema=None) as batch_op:
        batch_op.drop_index("uq_connection_of_a_supplier")
        batch_op.drop_index("ix_connection_owner")

    op.drop_table("connection")
    op.drop_table("mail_sent")
    op.drop_table("alert")
    op.drop_table("orphan")
    with op.batch_alter_table("case_number", schema=None) as batch_op:
        batch_op.drop_index("ix_case_number_folded")

    op.drop_table("case_number")
    op.drop_table("case_step")
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.drop_index("ix_case_file_stage")
        batch_op.drop_index("ix_case_file_seller_stage")
        batch_op.drop_index("ix_case_file_seller")
        batch_op.drop_index("ix_case_file_listed")

    op.drop_table("case_file")
