// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

/** The store cannot be opened, read or written. After a failed commit the node stops. */
public class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public StoreException(String message) {
    super(message);
  }

  public StoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
