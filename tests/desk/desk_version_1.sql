BEGIN TRANSACTION;
CREATE TABLE attempt (
    "key" TEXT NOT NULL,
    failures INTEGER NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE draft (
    item_id TEXT NOT NULL,
    person_id INTEGER NOT NULL,
    body JSON NOT NULL,
    PRIMARY KEY (item_id, person_id),
    FOREIGN KEY(item_id) REFERENCES item (id),
    FOREIGN KEY(person_id) REFERENCES person (id)
);
CREATE TABLE event (
    id INTEGER NOT NULL,
    at_ms BIGINT NOT NULL,
    person_id INTEGER NOT NULL,
    item_id TEXT NOT NULL,
    slot_id INTEGER,
    kind TEXT NOT NULL,
    "key" TEXT NOT NULL,
    body JSON NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (person_id, "key"),
    FOREIGN KEY(person_id) REFERENCES person (id),
    FOREIGN KEY(item_id) REFERENCES item (id),
    FOREIGN KEY(slot_id) REFERENCES slot (id)
);
INSERT INTO "event" VALUES(1,1796000000000,1,'be5a477f205f25e4',1,'approve','a key of hers','{"decision": "approve", "reasons": [], "texts": {}, "note": "", "dwell_ms": 9000}');
CREATE TABLE invite (
    token_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'lead', 'annotator', 'judge', 'viewer')),
    person_id INTEGER,
    from_console BOOLEAN NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (token_hash),
    FOREIGN KEY(person_id) REFERENCES person (id)
);
CREATE TABLE item (
    id TEXT NOT NULL,
    "row" TEXT NOT NULL,
    flags JSON NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'agreed', 'disputed', 'adjudicated', 'withdrawn')),
    final JSON,
    PRIMARY KEY (id)
);
INSERT INTO "item" VALUES('be5a477f205f25e4','{"id":"be5a477f205f25e4","language":"ur","task":"ethics","instruction":"کیا پرانی دوا پڑوسی کو دے دوں؟","input":"","output":"نہیں، دوا ڈاکٹر کے مشورے کے بغیر کسی کو نہ دیں۔","origin":{"kind":"teacher","source":"","licence":"","author":"","reviewed_by":"","teacher":"t","model":"m","request":"","strategy":"","parents":[]}}','[]','agreed',NULL);
CREATE TABLE person (
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'lead', 'annotator', 'judge', 'viewer')),
    password TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
);
INSERT INTO "person" VALUES(1,'آمنہ','annotator','$argon2id$v=19$m=65536,t=3,p=4$AAAA$AAAA',1);
CREATE TABLE session (
    token_hash TEXT NOT NULL,
    person_id INTEGER NOT NULL,
    seen_ms BIGINT NOT NULL,
    PRIMARY KEY (token_hash),
    FOREIGN KEY(person_id) REFERENCES person (id)
);
CREATE TABLE skipped (
    item_id TEXT NOT NULL,
    person_id INTEGER NOT NULL,
    PRIMARY KEY (item_id, person_id),
    FOREIGN KEY(item_id) REFERENCES item (id),
    FOREIGN KEY(person_id) REFERENCES person (id)
);
CREATE TABLE slot (
    id INTEGER NOT NULL,
    item_id TEXT NOT NULL,
    place BIGINT NOT NULL,
    person_id INTEGER,
    leased_ms BIGINT NOT NULL,
    open BOOLEAN NOT NULL,
    verdict JSON,
    PRIMARY KEY (id),
    UNIQUE (item_id, person_id),
    FOREIGN KEY(item_id) REFERENCES item (id),
    FOREIGN KEY(person_id) REFERENCES person (id)
);
INSERT INTO "slot" VALUES(1,'be5a477f205f25e4',1000000000000000,1,0,0,'{"decision": "approve", "reasons": [], "texts": {}, "note": "", "dwell_ms": 9000}');
CREATE INDEX ix_item_state ON item (state);
CREATE INDEX ix_slot_person_id ON slot (person_id);
CREATE INDEX open_slots ON slot (place, id) WHERE open = 1;
CREATE TRIGGER event_UPDATE BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_DELETE BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
COMMIT;
