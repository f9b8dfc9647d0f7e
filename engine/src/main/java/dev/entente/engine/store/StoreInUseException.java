// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

/** The store is open in another process. */
public final class StoreInUseException extends StoreException {
  private static final long serialVersionUID = 1;

  StoreInUseException(String message, Throwable cause) {
    super(message, cause);
  }
}
