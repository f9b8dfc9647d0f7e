// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import java.util.Optional;

/**
 * Every way in which a version comes to be written, and what each may skip of the checks, with the
 * reason. {@link VersionWriter} asks for one, so a new way to write is a new constant here, which
 * the tests of the write path require a row for.
 */
enum WriteOrigin {
  /** A client's write, alone or in a batch. */
  CLIENT("write"),
  /** A record and all that it held is erased. */
  ERASURE("write"),
  /** A record goes back to what it was. */
  ROLLBACK("write"),
  /** An appeal gives back what somebody had written. */
  APPEAL("write"),
  /** A record gives way to another in a conflict over a limit. */
  CONTENTION("write"),
  /** A person's decision of a review. */
  DECISION("decision"),
  /** A vote that reached its quorum. */
  VOTE("decision"),
  /** A step of the policy, such as a time-out. */
  POLICY_STEP("decision"),
  /** A value that competed before a decision competes again. */
  REOPENING("reopened"),
  /** What was accepted under a number that stood for two versions is written again. */
  MENDED("write"),
  /** Another node accepted the version, or a group agreed on it. */
  RECEIVED("write");

  private final String action;

  WriteOrigin(String action) {
    this.action = action;
  }

  /** What the audit log calls the write. */
  String action() {
    return action;
  }

  boolean skips(WriteCheck check) {
    return whySkipped(check).isPresent();
  }

  /** Why a check is skipped; empty where it is carried out. */
  Optional<String> whySkipped(WriteCheck check) {
    return Optional.ofNullable(
        switch (this) {
          case CLIENT -> null;
          case ROLLBACK, APPEAL, CONTENTION, REOPENING ->
              check == WriteCheck.PENDING || check == WriteCheck.STYLE
                  ? "it puts back what was there, and what competes is known to whoever asks for it"
                  : null;
          case DECISION, VOTE, POLICY_STEP ->
              switch (check) {
                case NEVER_AUTOMATIC, STYLE, PENDING -> "it is the decision waited for";
                default -> null;
              };
          case ERASURE ->
              switch (check) {
                case TRANSITION, SIBLINGS, COUNTER_RIGHTS, NEVER_AUTOMATIC, STYLE, PENDING ->
                    "what has to be erased is erased in whatever state it is";
                default -> null;
              };
          case MENDED -> "it is accepted already, and must not be lost";
          case RECEIVED -> "it is accepted already; refusing it here would let nodes differ";
        });
  }

  /** Whether the value was accepted once before and is only put back. */
  boolean restores() {
    return this == REOPENING;
  }
}
