// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import dev.entente.core.record.RecordKey;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A role within a tenant, or within one of its record types; written {@code writer@main}, {@code
 * reader@main/invoice}, {@code operator@*}.
 *
 * @param tenant the tenant, or {@code *} for all, and for the node itself
 * @param type the record type, or {@code *} for all
 */
public record Grant(Role role, String tenant, String type) {
  /** Stands for all tenants, or all types. */
  public static final String ALL = "*";

  /** Reads a grant as it is written. */
  public static Grant parse(String text) {
    int at = text.indexOf('@');
    Role role =
        Role.of(at < 0 ? text : text.substring(0, at))
            .orElseThrow(() ->
                new IllegalArgumentException(
                    text
                        + " is no grant: it begins with one of "
                        + String.join(
                            ", ", Arrays.stream(Role.values()).map(Role::label).toList())));
    if (at < 0) {
      throw new IllegalArgumentException(
          text + " names no tenant; write " + text + "@main, or " + text + "@* for all");
    }
    String scope = text.substring(at + 1);
    int slash = scope.indexOf('/');
    String tenant = slash < 0 ? scope : scope.substring(0, slash);
    String type = slash < 0 ? ALL : scope.substring(slash + 1);
    check(text, tenant);
    check(text, type);
    if (tenant.equals(ALL) && !type.equals(ALL)) {
      throw new IllegalArgumentException(text + " names a type of all tenants; name the tenant");
    }
    return new Grant(role, tenant, type);
  }

  private static void check(String text, String name) {
    @Nullable String problem = RecordKey.problemWith(name);
    if (problem != null) {
      throw new IllegalArgumentException("a name in the grant " + text + " " + problem);
    }
  }

  boolean covers(Permission permission, String inTenant, String ofType) {
    return role.includes(permission)
        && holdsIn(inTenant)
        && (type.equals(ALL) || type.equals(ofType));
  }

  boolean holdsIn(String inTenant) {
    return tenant.equals(ALL) || tenant.equals(inTenant);
  }

  @Override
  public String toString() {
    return role.label() + "@" + tenant + (type.equals(ALL) ? "" : "/" + type);
  }
}
