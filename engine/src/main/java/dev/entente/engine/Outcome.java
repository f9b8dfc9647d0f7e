// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.RowConflict;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What became of a write. */
public sealed interface Outcome {

  /** It was kept. */
  record Accepted(
      Kind kind,
      Snapshot after,
      boolean created,
      List<Resolution> resolutions,
      Optional<String> conflictId,
      String note)
      implements Outcome {
    public Accepted {
      resolutions = List.copyOf(resolutions);
    }
  }

  /** It had been sent before; this is what was answered then, and the record as it is now. */
  record Duplicate(Json first, Snapshot now) implements Outcome {}

  /**
   * It was not kept as a version; its payload is in the audit log.
   *
   * @param row what that is called where records come from rows
   */
  record Rejected(Code code, String message, Optional<Snapshot> current, Optional<RowConflict> row)
      implements Outcome {
    Rejected(Code code, String message, Optional<Snapshot> current) {
      this(code, message, current, Optional.empty());
    }

    Rejected called(RowConflict name) {
      return new Rejected(code, message, current, Optional.of(name));
    }
  }

  /** How an accepted write relates to what was there. */
  enum Kind {
    /** It follows what was there. */
    APPLIED,
    /** It was concurrent and is merged, by rule where rules were needed. */
    MERGED,
    /** It is kept beside others on purpose. */
    SIBLINGS,
    /** It is kept, and a person decides. */
    PENDING;

    private final String label = name().toLowerCase(Locale.ROOT);

    public String label() {
      return label;
    }
  }

  /** Why a write was rejected; stable names of the API. */
  enum Code {
    STALE,
    PRECONDITION_REQUIRED,
    CONFLICT,
    FROZEN,
    INVALID,
    NOT_FOUND,
    /** The record would grow beyond what one may take. */
    TOO_LARGE,
    /** What the author had read was erased since. */
    GONE,
    UNAVAILABLE;

    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }
}
