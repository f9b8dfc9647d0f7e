// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.cluster.UnavailableException;

/** The group did not answer in time: what was proposed may yet be agreed on, or not. */
public final class UnknownOutcomeException extends UnavailableException {
  private static final long serialVersionUID = 1;

  public UnknownOutcomeException(Throwable cause) {
    super(
        "the nodes did not agree in time; the write may be agreed on yet. Send it again with the"
            + " same Idempotency-Key to learn what became of it",
        cause);
  }
}
