// SPDX-License-Identifier: Apache-2.0
/**
 * Policies as data: the model, its loader, its checker, its conditions. Never touches a record's
 * state.
 */
@NullMarked
package dev.entente.core.policy;

import org.jspecify.annotations.NullMarked;
