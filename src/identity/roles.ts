/** Roles as schools name them; what each may do stands in `permissions.ts`. */
export const ROLES = {
  headteacher: 'Headteacher',
  'senior-leadership': 'Senior leadership',
  'safeguarding-lead': 'Designated safeguarding lead',
  'online-safety-lead': 'Online safety lead',
  'network-manager': 'Network manager',
  technician: 'Technician',
  teacher: 'Teacher',
  governor: 'Governor',
  'chair-of-governors': 'Chair of governors',
  'vice-chair-of-governors': 'Vice-chair of governors',
  'data-protection-officer': 'Data protection officer or auditor',
} as const;
export type Role = keyof typeof ROLES;

/** In the order in which people are shown them. */
export const ALL_ROLES = Object.keys(ROLES) as readonly Role[];

/** The two that a school begins with: each gets a link at the start until somebody holds it. */
export const FIRST_ROLES: readonly Role[] = ['headteacher', 'network-manager'];
