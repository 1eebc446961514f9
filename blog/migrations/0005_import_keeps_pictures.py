from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('blog', '0004_import_by_article'),
    ]

    operations = [
        migrations.AddField(
            model_name='importedsource',
            name='newer_since',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='source has changed since'),
        ),
        migrations.AddField(
            model_name='importedsource',
            name='pictures',
            field=models.JSONField(default=dict, editable=False),
        ),
    ]
