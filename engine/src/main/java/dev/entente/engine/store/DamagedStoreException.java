// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

/** What a store holds is not what was written to it. */
public class DamagedStoreException extends StoreException {
  private static final long serialVersionUID = 1;

  public DamagedStoreException(String message) {
    super(message);
  }

  public DamagedStoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
