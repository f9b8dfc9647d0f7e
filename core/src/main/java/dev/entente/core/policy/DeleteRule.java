// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.Locale;

/**
 * Who wins where one deleted what another changed: a record, a nested object or an undeclared
 * field.
 */
public enum DeleteRule {
  EDIT_WINS,
  DELETE_WINS,
  MANUAL_REVIEW;

  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
