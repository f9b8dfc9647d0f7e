// SPDX-License-Identifier: Apache-2.0
/**
 * The cells of a record and how they join: one contract, one file per type. Never knows a policy.
 */
@NullMarked
package dev.entente.core.crdt;

import org.jspecify.annotations.NullMarked;
