// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

/** A store ends before what was acknowledged: a log, a manifest or a part of one is missing. */
public final class LostWritesException extends DamagedStoreException {
  private static final long serialVersionUID = 1;

  LostWritesException(String message) {
    super(message);
  }
}
