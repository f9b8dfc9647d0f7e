// SPDX-License-Identifier: Apache-2.0
/**
 * Records, versions and their state: what travels between nodes and what joins there. Never decides
 * a conflict.
 */
@NullMarked
package dev.entente.core.record;

import org.jspecify.annotations.NullMarked;
