// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import dev.entente.core.record.RecordKey;

/**
 * What an action touches: a record, all records of a type, a whole tenant, or the node itself.
 *
 * @param tenant the tenant; {@link Grant#ALL} where all are touched
 * @param type the record type; {@link Grant#ALL} where all of the tenant are touched
 * @param record the record's id; {@link Grant#ALL} where all of the type are touched
 */
public record Scope(String tenant, String type, String record) {
  /** One record. */
  public static Scope of(RecordKey key) {
    return new Scope(key.tenant(), key.type(), key.id());
  }

  /** All records of a type. */
  public static Scope of(String tenant, String type) {
    return new Scope(tenant, type, Grant.ALL);
  }

  @Override
  public String toString() {
    if (tenant.equals(Grant.ALL)) {
      return "all tenants";
    }
    return type.equals(Grant.ALL) ? "all of " + tenant : tenant + "/" + type;
  }
}
