// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.crdt.Assignment;
import java.util.Locale;

/**
 * What a conflict is called where the records come from rows of a SQL database: the closed list
 * that operators of multi-master databases know.
 */
public enum RowConflict {
  /** Both sides made it. */
  INSERT_EXISTS,
  /** Both sides changed it. */
  UPDATE_DIFFERING,
  /** It was changed after the other side had removed it. */
  UPDATE_DELETED,
  /** It was removed after the other side had changed it. */
  DELETE_UPDATED,
  /** A change of something that is not there, and whose removal is not known. */
  UPDATE_MISSING,
  /** A removal of something that is not there. */
  DELETE_MISSING,
  /** One write would take several unique values that others hold. */
  SEVERAL_UNIQUE,
  /** The type, or the field, is not declared where only declared ones are taken. */
  TARGET_MISSING;

  /** What competing assignments are: the later of a change and a removal gives the name. */
  static RowConflict of(Conflict conflict) {
    Assignment latest = conflict.competing().getFirst();
    boolean removal = false;
    for (Assignment assignment : conflict.competing()) {
      removal |= assignment.value().isAbsent();
      latest = Assignment.BY_TIME.compare(assignment, latest) > 0 ? assignment : latest;
    }
    if (removal) {
      return latest.value().isAbsent() ? DELETE_UPDATED : UPDATE_DELETED;
    }
    boolean fromNothing = conflict.lastAgreed().filter(agreed -> agreed.isAbsent()).isPresent();
    return fromNothing ? INSERT_EXISTS : UPDATE_DIFFERING;
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
