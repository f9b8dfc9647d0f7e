// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import java.util.List;

/** Who makes a request, and what they were granted. */
public record Caller(String name, List<Grant> grants) {
  /** Nobody in particular, who may do nothing. */
  public static final Caller NOBODY = new Caller("", List.of());

  private static final String ADMIN = "admin";

  /** Whoever has the token of the data directory. */
  public static Caller administrator() {
    return new Caller(ADMIN, List.of(new Grant(Role.ADMIN, Grant.ALL, Grant.ALL)));
  }

  public Caller {
    grants = List.copyOf(grants);
  }

  /** Whether the caller may do this with the records of a type. */
  public boolean may(Permission permission, String tenant, String type) {
    return grants.stream().anyMatch(grant -> grant.covers(permission, tenant, type));
  }

  /** Whether the caller may do this with all of a tenant. */
  public boolean may(Permission permission, String tenant) {
    return may(permission, tenant, Grant.ALL);
  }

  /** Whether the caller may do this with some type of a tenant. */
  public boolean maySomewhere(Permission permission, String tenant) {
    return grants.stream().anyMatch(grant -> grant.covers(permission, tenant, grant.type()));
  }
}
