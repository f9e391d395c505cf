"""What teachers decide about grades: every change kept, with who, when and why."""
