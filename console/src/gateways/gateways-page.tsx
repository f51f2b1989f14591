export function GatewaysPage() { return null; }
